"""Check lists of tracks: mixtures, their spectrograms and their sources."""

import warnings
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np

from sksvs.audio.checks import common_rate
from sksvs.audio.sources import Sources
from sksvs.audio.waveform import ArrayWaveform, AtRate, Waveform
from sksvs.parameters import MAX_SOURCES, check_value
from sksvs.stft.spectrogram import Spectrogram

MAX_DIFFERENCE = -30  # dB: of a mixture from the sum of its sources, without a warning


def check_mixtures(X: Any) -> list[Waveform]:
    """Return the mixtures as waveforms with a name each.

    Parameters
    ----------
    X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)

    Returns
    -------
    list of Waveform

    Raises
    ------
    TypeError, ValueError
        If an item is not a waveform; the message names the track.
    """
    _check_list(X, "X", "waveforms")
    return [_as_waveform(x, f"X[{i}]") for i, x in enumerate(X)]


def check_spectrograms(X, estimator):
    """Return X as a list; raise if it does not hold spectrograms with the same STFT settings.

    Their sample rates may differ if all are known and the window and the hop have the same
    duration.

    Parameters
    ----------
    X : list of Spectrogram
    estimator : object
        The caller, which the error message names.
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
    """Return the STFT settings with the lowest known sample rate: all tracks have its frequencies.

    Parameters
    ----------
    spectrograms : list of Spectrogram
        Checked by :func:`check_spectrograms`.
    """
    return min((x.params for x in spectrograms), key=lambda p: p.sample_rate or float("inf"))


def check_sources(y, mixtures, one_rate=True):
    """Return the sources of every track as waveforms of the shape of their mixture.

    Sources with channels of a mono mixture are averaged, as the mixture was. Sources must have the
    sample rate of their mixture; if some mixture does not know its rate and `one_rate` is True, all
    tracks must have one rate.

    Parameters
    ----------
    y : list of array or Sources, each (n_sources, n_samples) or (n_sources, n_samples, n_channels)
    mixtures : list of Waveform
    one_rate : bool, default=True
        If True, raise where tracks have different known sample rates and a mixture does not know
        its own.

    Returns
    -------
    list of list of Waveform

    Raises
    ------
    TypeError, ValueError
        If an item is not the sources of its mixture; the message names the track.
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
        tracks = [list(chain.from_iterable(tracks))]
    for track in tracks:
        common_rate(track)
    return sources


def assume_rate(waveforms, rate):
    """Return the waveforms, those of unknown sample rate at `rate`, in Hz; None leaves them so."""
    return [AtRate(w, rate) if rate and w.sample_rate is None else w for w in waveforms]


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


def rate_remedy(rate, fitted):
    """Return the remedy for a song of another sample rate than in fit; "" where it is right.

    Both are in Hz, or None where unknown.
    """
    if rate == fitted or rate is None:
        return ""
    if fitted is None:
        return (
            " The sample rate of the songs in fit is not known. Fit with "
            "STFTTransformer(sample_rate=...) to separate songs of any."
        )
    return (
        f" STFTTransformer(sample_rate={fitted}) takes songs of any sample rate, in a fitted "
        "pipeline too (set_params); sksvs.audio.resample changes the rate of a song."
    )


def warn_of_assumed_rate(waveforms, rate):
    """Warn once if waveforms do not know their sample rate and one is assumed.

    Parameters
    ----------
    waveforms : list of Waveform
    rate : int or None
        The rate that is assumed, in Hz; None: none is.
    """
    unknown = [waveform.name for waveform in waveforms if waveform.sample_rate is None]
    if unknown and rate is not None:
        others = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        warnings.warn(
            f"{unknown[0]}{others} has no known sample rate and is assumed to be at {rate} Hz. "
            "Give its rate: ArrayWaveform(samples, rate), STFTTransformer(array_rate=...) or "
            "sksvs.pretrained(..., sample_rate=...).",
            stacklevel=3,
        )


def warn_of_difference(name, difference):
    """Warn if a mixture is not the sum of its sources.

    Parameters
    ----------
    name : str
        The name of the track.
    difference : float or None
        Power of the difference over that of the mixture in dB; None if it was not measured.
    """
    if difference is not None and difference > MAX_DIFFERENCE:
        warnings.warn(
            f"{name} is not the sum of its sources: the difference has {difference:.1f} dB of its "
            "energy. Check that they belong together, begin together and have the same gain.",
            stacklevel=3,
        )


def warn_of_cancelled(name, n_channels):
    """Warn that the channels of a track cancel each other in their downmix.

    Parameters
    ----------
    name : str
        The name of the track.
    n_channels : int
        Of the waveform that is separated: 1 if that is the downmix.
    """
    follows = (
        "so each of them is separated by itself."
        if n_channels > 1
        else "so what is separated is almost silent. Leave MonoDownmix out of the pipeline to "
        "separate the channels."
    )
    warnings.warn(f"{name}: its channels cancel each other in their mean, {follows}", stacklevel=3)


def _check_track_sources(sources, mixture, i):
    name = f"y[{i}]"
    of = f"X[{i}]" if mixture.name == f"X[{i}]" else f"X[{i}] ({mixture.name})"
    is_array = isinstance(sources, np.ndarray)
    if not isinstance(sources, (np.ndarray, Sources, list, tuple)):
        raise TypeError(
            f"{name} must be the sources of a track, as an array or a list of waveforms; got "
            f"{_describe(sources)}. Write [voice, accompaniment]."
        )
    if (is_array and sources.ndim < 2) or len(sources) < 2:
        got = _describe(sources) if is_array else len(sources)
        raise ValueError(f"{name} must hold two sources or more, the voice first; got {got}.")
    waveforms = []
    for j, source in enumerate(sources):
        source = _as_waveform(source, f"{name}[{j}]")
        if source.n_samples != mixture.n_samples:
            called = name if source.name.startswith(name) else f"{name} ({source.name})"
            raise ValueError(
                f"{called} must have shape (n_sources, {mixture.n_samples}) or (n_sources, "
                f"{mixture.n_samples}, n_channels) to match {of}; got "
                f"{(len(sources), *source.shape)}."
            )
        waveforms.append(source.to_mono() if mixture.ndim == 1 else source)
    if len(waveforms) > MAX_SOURCES:
        raise ValueError(f"{name} must hold up to {MAX_SOURCES} sources; got {len(waveforms)}.")
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
    if isinstance(waveform, (Spectrogram, Sources)) or not hasattr(waveform, "__array__"):
        remedy = ""
        if isinstance(waveform, (str, PathLike)):
            remedy = " Open the file with sksvs.audio.AudioFile."
        elif isinstance(waveform, Spectrogram):
            remedy = " Put STFTTransformer after the steps that work on waveforms."
        raise TypeError(
            f"{name} must be one waveform, an array or an AudioFile; got {_describe(waveform)}."
            f"{remedy}"
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
        split = f"; make an array of tracks a list, list({name})" if numeric_array else ""
        raise TypeError(
            f"{name} must be a list of {what}, one item a track; got {_describe(items)}. Put a "
            f"single track into a list, [{name.lower()}]{split}."
        )
    if len(items) == 0:
        raise ValueError(f"{name} is empty: at least one track is needed.")
