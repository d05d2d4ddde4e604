"""Take the constants off the tracks that are learnt from, and measure them."""

from sksvs._background import thread_map
from sksvs._centred import Centred, measure_track
from sksvs._tracks import warn_of_difference
from sksvs.spectrogram import Spectrogram, Target


def measured_tracks(spectrograms):
    """Return the downmixes of tracks and their targets without their constants, measured.

    A mixture and its sources are read together, once. What comes from here is neither measured
    nor warned of again.

    Parameters
    ----------
    spectrograms : list of Spectrogram
        Each with a target.

    Returns
    -------
    list of Spectrogram
        Of `Centred` waveforms, the sources too.

    Warns
    -----
    UserWarning
        If a mixture is not the sum of its sources, naming it.
    """
    tracks = [_centred(x.to_mono()) for x in spectrograms]
    differences = thread_map(_measure, (track for track in tracks))
    for track, given, difference in zip(tracks, spectrograms, differences):
        if not isinstance(given.waveform, Centred):
            warn_of_difference(track.name, difference)
    return tracks


def _centred(x):
    if isinstance(x.waveform, Centred):
        return x
    views = [Spectrogram(Centred(source.waveform), source.params) for source in x.target.sources]
    target = Target(tuple(views), x.target.rule)
    return Spectrogram(Centred(x.waveform), x.params, target)


def _measure(x):
    """Measure a track if that has not been done; return by how much it differs from the sum."""
    if not x.waveform.measurement.is_done:
        return measure_track(x.waveform, [source.waveform for source in x.target.sources])
    return None
