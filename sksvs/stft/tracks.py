"""Check lists of tracks where they enter: mixtures, and the sources that belong to them."""

import warnings
from os import PathLike

import numpy as np

from sksvs.audio.checks import common_rate
from sksvs.audio.sources import Sources
from sksvs.audio.waveform import ArrayWaveform, Waveform
from sksvs.parameters import MAX_SOURCES, check_value
from sksvs.stft.spectrogram import Spectrogram

NO_SUM = -30  # dB: a mixture that differs more from the sum of its sources is warned of
ANY_RATE = ", or take songs of any rate with STFTTransformer(sample_rate=...)"


def check_mixtures(X, one_rate=True):
    """Return the mixtures as waveforms that know their names.

    Parameters
    ----------
    X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
    one_rate : bool, default=True
        Whether two known sample rates are an error.

    Returns
    -------
    list of Waveform

    Raises
    ------
    TypeError, ValueError
        Naming the track and what is wrong with it.
    """
    _check_list(X, "X", "waveforms")
    mixtures = [_as_waveform(x, f"X[{i}]") for i, x in enumerate(X)]
    if one_rate:
        common_rate(mixtures, ANY_RATE)
    return mixtures


def check_spectrograms(X, estimator):
    """Return X as a list after making sure that it holds spectrograms of one kind of analysis.

    It may be at several sample rates where all are known: the window and the hop last as long.

    Parameters
    ----------
    X : list of Spectrogram
    estimator : object
        Who asks, for the error message.
    """
    _check_list(X, "X", "spectrograms")
    for i, x in enumerate(X):
        if not isinstance(x, Spectrogram):
            raise TypeError(
                f"X[{i}] must be a Spectrogram; got {type(x).__name__}. Put STFTTransformer "
                f"before {type(estimator).__name__} in the pipeline."
            )
        difference = x.params.differs_from(X[0].params)
        if difference:
            raise ValueError(f"{x.name} was analysed with {difference} as for {X[0].name}.")
    if any(x.params.sample_rate is None for x in X):
        common_rate([x.waveform for x in X])
    return list(X)


def common_params(spectrograms):
    """Return the settings that all of these spectrograms have, with the sample rate if any knows.

    Of several rates it is the lowest one: that of the frequencies which all tracks have.

    Parameters
    ----------
    spectrograms : list of Spectrogram
        Checked by :func:`check_spectrograms`.
    """
    params = [x.params for x in spectrograms]
    known = [p for p in params if p.sample_rate is not None]
    return min(known, key=lambda p: p.sample_rate, default=params[0])


def check_sources(y, mixtures, one_rate=True):
    """Return the sources of every track as waveforms on their mixture's grid.

    Where the mixture is mono, sources with channels are averaged, as the mixture was. The sample
    rate is that of the mixture, and of all tracks unless every mixture knows its own or `one_rate`
    is False.

    Parameters
    ----------
    y : list of array or Sources, each (n_sources, n_samples) or (n_sources, n_samples, n_channels)
    mixtures : list of Waveform
    one_rate : bool, default=True
        Whether two known sample rates are an error where a mixture does not know its own.

    Returns
    -------
    list of list of Waveform
    """
    if y is None:
        raise ValueError("y is needed: the sources of every track, the voice first; got None.")
    _check_list(y, "y", "sources")
    if len(y) != len(mixtures):
        raise ValueError(
            f"X and y must have one item a track; got {len(mixtures)} mixtures and {len(y)} sets "
            "of sources."
        )
    sources = [_check_track_sources(s, m, i) for i, (s, m) in enumerate(zip(y, mixtures))]
    for i, track in enumerate(sources):
        if len(track) != len(sources[0]):
            raise ValueError(
                f"y[{i}] has {len(track)} sources, but y[0] has {len(sources[0])}. Every track "
                "needs the same sources in the same order."
            )
    tracks = [[m, *track] for m, track in zip(mixtures, sources)]
    if one_rate and any(m.sample_rate is None for m in mixtures):
        tracks = [[*mixtures, *(source for track in sources for source in track)]]
    for track in tracks:
        common_rate(track)
    return sources


def common_source_names(y):
    """Return what the sources of all tracks are called; None where no track has names.

    Parameters
    ----------
    y : list of array or Sources
        Checked by :func:`check_sources`. Those without names, arrays among them, agree with any.

    Returns
    -------
    tuple of str or None

    Raises
    ------
    ValueError
        If two tracks have different names, or they are not what a separator can keep; naming the
        track.
    """
    first, names = None, None
    for i, track in enumerate(y):
        own = getattr(track, "source_names", None)
        if own is None or own == names:
            continue
        called = f"y[{i}] ({track.name})"
        check_value("source_names_", own, f"The sources of {called}: ")
        if names is not None:
            raise ValueError(
                f"The sources of {called} are {', '.join(own)}, but those of {first} are "
                f"{', '.join(names)}. Every track needs the same sources in the same order."
            )
        first, names = called, own
    return names


def default_source_names(n_sources):
    """Return what sources are called that have no names.

    Two are "vocals" and "accompaniment", more are "vocals", "source_1", "source_2" and so on.

    Parameters
    ----------
    n_sources : int

    Returns
    -------
    tuple of str
    """
    if n_sources == 2:
        return "vocals", "accompaniment"
    return "vocals", *(f"source_{i}" for i in range(1, n_sources))


def warn_of_assumed_rate(waveforms, rate):
    """Warn once of all waveforms that do not know their sample rate, and say which is assumed.

    Parameters
    ----------
    waveforms : list of Waveform
    rate : int or None
        That they are taken to have, in Hz; None: no rate is assumed.
    """
    unknown = [waveform.name for waveform in waveforms if waveform.sample_rate is None]
    if unknown and rate is not None:
        others = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        warnings.warn(
            f"{unknown[0]}{others} has no known sample rate and is taken to be at {rate} Hz. Say "
            "at which rate it is: ArrayWaveform(samples, rate), STFTTransformer(array_rate=...) "
            "or sksvs.pretrained(..., sample_rate=...).",
            stacklevel=3,
        )


def warn_of_difference(name, difference):
    """Warn of a mixture that is not the sum of its sources.

    Parameters
    ----------
    name : str
        Of the track.
    difference : float
        Power of the difference over that of the mixture in dB.
    """
    if difference is not None and difference > NO_SUM:
        warnings.warn(
            f"{name} is not the sum of its sources: what they differ by has {difference:.1f} dB "
            "of its energy. Check that they belong together, begin together and have the same "
            "gain.",
            stacklevel=3,
        )


def warn_of_cancelled(name, n_channels):
    """Warn of a track whose channels cancel each other in their mean, and say what follows.

    Parameters
    ----------
    name : str
        Of the track.
    n_channels : int
        That are left of it: 1 is the mean alone.
    """
    follows = (
        "so each of them is separated by itself."
        if n_channels > 1
        else "which is next to silent and all that is separated. Leave MonoDownmix out of the "
        "pipeline to separate the channels."
    )
    warnings.warn(f"{name}: its channels cancel each other in their mean, {follows}", stacklevel=3)


def _check_track_sources(sources, mixture, i):
    name = f"y[{i}]"
    of = f"X[{i}]" if mixture.name == f"X[{i}]" else f"X[{i}] ({mixture.name})"
    is_array = isinstance(sources, np.ndarray)
    if not (is_array or isinstance(sources, (Sources, list, tuple))):
        raise TypeError(
            f"{name} must be the sources of a track, as an array or a list of waveforms; got "
            f"{_describe(sources)}. Write [voice, accompaniment]."
        )
    if (is_array and sources.ndim < 2) or len(sources) < 2:
        got = f"an array of shape {sources.shape}" if is_array else len(sources)
        raise ValueError(f"{name} must hold two sources or more, the voice first; got {got}.")
    if is_array and (sources.ndim > 3 or sources.shape[1] != mixture.n_samples):
        raise ValueError(
            f"{name} must have shape (n_sources, {mixture.n_samples}) or (n_sources, "
            f"{mixture.n_samples}, n_channels) to match {of}; got {sources.shape}."
        )
    waveforms = [_as_waveform(source, f"{name}[{j}]") for j, source in enumerate(sources)]
    for source in waveforms:
        if source.n_samples != mixture.n_samples:
            called = name if source.name.startswith(name) else f"{name} ({source.name})"
            got = (len(waveforms), *source.shape)
            raise ValueError(
                f"{called} must have shape (n_sources, {mixture.n_samples}) to match {of}; "
                f"got {got}."
            )
    if len(waveforms) > MAX_SOURCES:
        raise ValueError(f"{name} must hold up to {MAX_SOURCES} sources; got {len(waveforms)}.")
    if mixture.ndim == 1:
        return [source.to_mono() for source in waveforms]
    for source in waveforms:
        if source.shape != mixture.shape:
            raise ValueError(
                f"{source.name} has shape {source.shape}, but its mixture {of} has "
                f"{mixture.shape}: a mixture with channels needs sources with the same channels. "
                "Put MonoDownmix first in the pipeline to separate in mono."
            )
    return waveforms


def _as_waveform(waveform, name):
    if isinstance(waveform, Waveform):
        return waveform
    if isinstance(waveform, Sources) or not hasattr(waveform, "__array__"):
        remedy = ""
        if isinstance(waveform, (str, PathLike)):
            remedy = " Open the file with sksvs.audio.AudioFile."
        raise TypeError(
            f"{name} must be one waveform, an array or an AudioFile; got {_describe(waveform)}."
            f"{remedy}"
        )
    if isinstance(waveform, Spectrogram):
        raise TypeError(
            f"{name} must be a waveform; got a Spectrogram. What works on waveforms comes before "
            "STFTTransformer in a pipeline."
        )
    return ArrayWaveform(waveform, name=name)


def _describe(thing):
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape}"
    if isinstance(thing, Sources):
        return f"the {len(thing)} sources of a track"
    return f"{type(thing).__name__}"


def _check_list(items, name, what):
    numeric_array = isinstance(items, np.ndarray) and items.dtype != object
    if numeric_array or not hasattr(items, "__len__") or isinstance(items, (str, dict, Waveform)):
        split = f", and an array of tracks through list({name})" if numeric_array else ""
        raise TypeError(
            f"{name} must be a list of {what}, one item a track; got {_describe(items)}. Put a "
            f"single track into a list, [{name.lower()}]{split}."
        )
    if len(items) == 0:
        raise ValueError(f"{name} is empty: at least one track is needed.")
