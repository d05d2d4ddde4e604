"""What the channels of a track tell: of one that cancels in the downmix, and of a stereo one."""

from dataclasses import replace

import numpy as np

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


def favour_centre(masks, frames, side_weight):
    """Make the first source's mask smaller, in place, where the mixture is not in the centre.

    With the mid and side signals ``M = (L + R) / 2`` and ``S = (L - R) / 2``, it is multiplied by
    ``|M|² / (|M|² + w |S|²)``: 1 in the centre, ``1 / (1 + w)`` in one channel alone. The other
    masks grow in proportion, so that all sum to one.

    Parameters
    ----------
    masks : array of float32, shape (n_sources, n_freqs, n_frames)
        They sum to one.
    frames : array of complex64, shape (2, n_freqs, n_frames)
        Of the mixture, left and right. Of another number of channels, the masks stay as they are.
    side_weight : float
        The w; with 0 they stay as they are, too.

    Returns
    -------
    array of float32
        The same array.

    Examples
    --------
    >>> frames = np.array([[[1.0, 1.0]], [[1.0, 0.0]]])  # two bins: in the centre, and left
    >>> favour_centre(np.array([[[0.8, 0.8]], [[0.2, 0.2]]]), frames, 1.0).round(2).tolist()
    [[[0.8, 0.4]], [[0.2, 0.6]]]
    """
    if side_weight == 0 or frames.ndim == 2 or len(frames) != 2:
        return masks
    mid, side = (np.square(np.abs(x)) for x in (frames[0] + frames[1], frames[0] - frames[1]))
    side *= np.float32(side_weight)
    side += mid
    masks[0] *= np.divide(mid, side, out=np.ones_like(mid), where=side > 0)
    rest = masks[1:].sum(axis=0)
    masks[1:, rest == 0] = 1
    masks[1:] *= (1 - masks[0]) / np.where(rest == 0, len(masks) - 1, rest)
    return masks
