"""Split a track whose channels cancel each other in the downmix into its channels."""

from dataclasses import replace

from sksvs.stft.spectrogram import Spectrogram, Target


def channels_of(spectrogram):
    """Return the spectrogram of every channel, with that channel of the sources as its target.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of a `Centred` waveform with channels. The sources of its target, if any, are downmixes of
        such waveforms.

    Returns
    -------
    list of Spectrogram
    """
    params, target = spectrogram.params, spectrogram.target
    channels = []
    for i in range(spectrogram.waveform.n_channels):
        channel = Spectrogram(spectrogram.waveform.channel(i), params)
        if target is not None:
            sources = [source.waveform.with_channels().channel(i) for source in target.sources]
            views = tuple(Spectrogram(source, params) for source in sources)
            channel = replace(channel, target=Target(views, target.rule))
        channels.append(channel)
    return channels
