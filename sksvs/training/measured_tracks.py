"""Pair training tracks with their sources, and measure them."""

import warnings

from sksvs.audio.centred import Centred, measure_track
from sksvs.audio.waveform import before_downmix
from sksvs.masks import RatioMask
from sksvs.stft.spectrogram import Spectrogram, Target
from sksvs.stft.tracks import check_sources, check_spectrograms, warn_of_difference
from sksvs.system.threads import thread_map
from sksvs.training.objective import MASK_LOSSES


def training_tracks(X, y, estimator):
    """Check tracks and their sources; return the tracks with their sources as targets.

    Parameters
    ----------
    X : list of Spectrogram
    y : list of array or Sources, each (n_sources, n_samples[, n_channels])
    estimator : object
        The separator that is fitted, for error messages.

    Returns
    -------
    list of Spectrogram
        Each with a target: the downmixes of its sources, analysed with its own settings, and the
        rule of its ideal mask, `RatioMask()` where X has none. Where the same waveform and the same
        sources come several times, one object does, which readers measure and decode once.
    """
    spectrograms = check_spectrograms(X, estimator)
    sources = check_sources(y, [x.waveform for x in spectrograms])
    # Both lists keep alive what is identified by its id.
    wholes, given = [before_downmix(x.waveform) for x in spectrograms], list(y)
    tracks, made, default = [], {}, RatioMask()
    for x, whole, own, track in zip(spectrograms, wholes, given, sources):
        key = id(whole), x.waveform.ndim, x.params.sample_rate, id(x.mask_rule), id(own)
        if key not in made:
            views = tuple(Spectrogram(source.to_mono(), x.params) for source in track)
            target = Target(views, x.mask_rule or default)
            made[key] = Spectrogram(x.waveform, x.params, target=target)
        tracks.append(made[key])
    return tracks


def warn_of_unseen_mask(tracks, losses):
    """Warn if IRMTarget has chosen an ideal mask that has no effect on any of the losses.

    Parameters
    ----------
    tracks : list of Spectrogram
        From :func:`training_tracks`.
    losses : sequence of str
    """
    rules = [x.target.rule for x in tracks if x.target.rule != RatioMask()]
    if rules and not set(losses) & set(MASK_LOSSES):
        warnings.warn(
            f"IRMTarget has chosen {rules[0]}, but loss={losses[0]!r} does not compare masks, so "
            f"this has no effect. Losses that compare masks are {', '.join(MASK_LOSSES)}; or leave "
            "IRMTarget out of the pipeline.",
            stacklevel=3,
        )


def measured_tracks(tracks):
    """Measure the downmixes of tracks and their targets; return them without their constants.

    A mixture and its sources are read together, once, also where a track comes several times in
    the list. Tracks returned from here are not measured or warned of again.

    Parameters
    ----------
    tracks : list of Spectrogram
        From :func:`training_tracks`.

    Returns
    -------
    list of Spectrogram
        Spectrograms of `Centred` waveforms, as are the sources of their targets; the same object
        for the same track.

    Warns
    -----
    UserWarning
        If a mixture is not the sum of its sources, naming it.
    """
    once = {id(x): x for x in tracks}
    measured = {key: _centred(x.to_mono()) for key, x in once.items()}
    differences = thread_map(_measure, (track for track in measured.values()))
    for given, difference in zip(once.values(), differences):
        if not isinstance(given.waveform, Centred):
            warn_of_difference(given.name, difference)
    return [measured[id(x)] for x in tracks]


def _centred(x):
    if isinstance(x.waveform, Centred):
        return x
    views = [Spectrogram(Centred(source.waveform), source.params) for source in x.target.sources]
    target = Target(tuple(views), x.target.rule)
    return Spectrogram(Centred(x.waveform), x.params, target=target)


def _measure(x):
    """Measure a track, once; return its difference from the sum of its sources in dB, or None."""
    if not x.waveform.measurement.is_done:
        return measure_track(x.waveform, [source.waveform for source in x.target.sources])
    return None
