"""Score tracks, and reduce the scores of many to one that a search can maximise."""

import warnings
from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics.bss_eval.signals import as_sources, signal_energy
from sksvs.metrics.measures import definable, measure
from sksvs.metrics.protocols import Protocol, get_protocol
from sksvs.stft.tracks import common_source_names, default_source_names


class TrackScore(NamedTuple):
    """The scores of one track.

    Attributes
    ----------
    name : str
        The path, if there is one.
    n_samples : int
        The length of the track, by which a protocol may weight it.
    sources : dict of str to array of float64
        By metric, in dB, each of shape (n_sources,), the voice first; within ±100 or NaN.
    windows : dict of str to array of float64
        The same before the windows were reduced, each (n_sources, n_windows).
    ranges : sequence of (start, stop)
        The windows, in samples.
    left_out : dict of str to array of bool
        By metric, each of shape (n_sources,): whether the score is left out of the reduction over
        tracks, because silence in the references leaves it undefined for every estimate.
    problem : str or None
        Which scores are missing, and why; None if the voice has all scores, and no source is left
        out.
    """

    name: str
    n_samples: int
    sources: dict
    windows: dict
    ranges: tuple = ()
    left_out: dict = {}
    problem: str | None = None

    def warn(self) -> None:
        """Warn if the track lacks scores, naming it, the consequence and the reason."""
        if self.problem is not None:
            warnings.warn(f"{self.name} {self.problem}.", UndefinedMetricWarning, stacklevel=3)


class SeparationScore(float):
    """The score of the voice in dB: a float with the other scores as attributes.

    The float is the first metric of the protocol: the mean SDR in what `score` returns.

    Parameters
    ----------
    tracks : sequence of TrackScore
    protocol : str or Protocol, default="whole_tracks"
        The protocol that reduces the scores of the tracks.
    sample_weight : sequence of float of length n_tracks, optional
        Weights of the tracks in a mean, which replaces the reduction of the protocol. A track of
        weight 0 is left out.

    Attributes
    ----------
    sdr, sir, sar, … : float
        The scores of source 0, in dB, one attribute for every metric of the protocol. NaN if the
        estimate of any track could not be scored, or all tracks were left out.
    sources : dict of str to array of float64
        The same for all sources: by metric, each of shape (n_sources,).
    protocol : str
        The name of the protocol.
    variant : str
        The variant of BSS Eval, or "no BSS Eval".
    tracks : tuple of TrackScore
        The scores of every track and every source.

    Examples
    --------
    >>> sources = {"sdr": np.array([6.0, 9.0]), "sir": np.array([10.0, 12.0]),
    ...            "sar": np.array([8.0, 11.0])}
    >>> score = SeparationScore([TrackScore("song.wav", 44100, sources, {})])
    >>> score
    SeparationScore(sdr=6.00, sir=10.00, sar=8.00)
    >>> score + 1
    7.0
    >>> score.variant
    'BSS Eval version 3, sources, 512 taps'
    """

    sdr: float
    sir: float
    sar: float
    sources: dict[str, np.ndarray]
    tracks: tuple[TrackScore, ...]
    protocol: str
    variant: str
    _reduced_by: tuple

    def __new__(
        cls,
        tracks: Iterable[TrackScore],
        protocol: str | Protocol = "whole_tracks",
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Reduce the scores of the tracks that are not left out."""
        tracks, protocol = tuple(tracks), get_protocol(protocol)
        weights = None if sample_weight is None else check_weights(sample_weight, len(tracks))
        sources = {
            metric: _reduce(metric, tracks, protocol, weights) for metric in protocol.metrics
        }
        score = super().__new__(cls, sources[protocol.metrics[0]][0])
        for metric, values in sources.items():
            setattr(score, metric, float(values[0]))
        score.sources, score.tracks = sources, tracks
        score.protocol, score.variant = protocol.name, protocol.method
        score._reduced_by = protocol, sample_weight
        return score

    def __getnewargs__(self):
        return (self.tracks, *self._reduced_by)

    def __repr__(self):
        values = (f"{metric}={getattr(self, metric):.2f}" for metric in self.sources)
        return f"SeparationScore({', '.join(values)})"


def _reduce(metric, tracks, protocol, weights):
    """Return the score of every source over the tracks in which it is not left out."""
    if not tracks:
        return np.full(1, np.nan)
    values = np.array([track.sources[metric] for track in tracks], dtype=float).T
    out = [np.broadcast_to(track.left_out.get(metric, False), len(values)) for track in tracks]
    kept = ~np.transpose(out) if weights is None else ~np.transpose(out) & (weights > 0)
    n_samples = np.array([track.n_samples for track in tracks])
    reduced = np.full(len(values), np.nan)
    for j in np.flatnonzero(kept.any(axis=1)):
        of_tracks = values[j, kept[j]]
        if weights is None:
            reduced[j] = protocol.reduce_tracks(of_tracks, n_samples[kept[j]])
        else:
            reduced[j] = np.average(of_tracks, weights=weights[kept[j]])
    return reduced


def names_of_sources(y, separator, n_sources):
    """Return what the sources of tracks are called in tables and searches.

    Parameters
    ----------
    y : list of array or Sources
        Their names come first.
    separator : object
        Then those that it was trained on, if it has as many; :func:`default_source_names` else.
    n_sources : int

    Returns
    -------
    tuple of str
    """
    names = common_source_names(y)
    if names is None:
        names = getattr(last_step(separator), "source_names_", ())
    return tuple(names) if len(names) == n_sources else default_source_names(n_sources)


def last_step(separator):
    """Return the separator in a pipeline or in a search over one, or the separator as it is."""
    separator = getattr(separator, "best_estimator_", separator)
    return separator[-1] if hasattr(separator, "steps") else separator


def scores_by_column(sources, names, prefix=""):
    """Return the scores of all sources, given by metric, by column: "sdr_vocals" and so on."""
    return {
        f"{prefix}{metric}_{name}": float(value)
        for metric, values in sources.items()
        for name, value in zip(names, values, strict=True)
    }


def check_weights(sample_weight, n_tracks):
    """Return the weights of tracks as float64, shape (n_tracks,); raise if they are not usable."""
    weights = np.asarray(sample_weight, dtype=np.float64)
    usable = np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
    if weights.shape != (n_tracks,) or not usable:
        raise ValueError(
            f"sample_weight must have a finite number for each of the {n_tracks} tracks, none "
            f"below 0 and not all 0; got {sample_weight!r}."
        )
    return weights


def score_tracks(
    tracks: Iterable[tuple[str, npt.ArrayLike, npt.ArrayLike]],
    protocol: str | Protocol = "whole_tracks",
    sample_weight: npt.ArrayLike | None = None,
) -> SeparationScore:
    """Score the estimates of many tracks, with one track in memory at a time.

    Undefined scores are treated alike everywhere in the package:

    - BSS Eval: a track with a reference that is silent throughout is left out, whatever the
      estimates are. uSDR: it is left out for the source that is silent. log-WMSE: it counts; a
      track with a silent mixture is left out.
    - An estimate of the voice that holds NaN or inf, has another length than its reference or, in
      BSS Eval, is silent throughout has scores of NaN, which make the mean NaN, so that no
      separator gains by failing on hard tracks. Such an estimate of another source only affects
      that source.
    - In a protocol with windows, those in which a reference or the estimate is silent are left
      out of the track's mean or median, as in the tools of the protocol.
    - All scores are clipped to ±100 dB: a perfect estimate has 100 dB, and a track with a single
      source an SIR of 100 dB.

    The first two cases warn and name the track.

    Parameters
    ----------
    tracks : iterable of (name, references, estimates)
        Arrays of shape (n_sources, n_samples), or (n_sources, n_samples, n_channels) if the
        protocol scores images.
    protocol : str or Protocol, default="whole_tracks"
        One without windows, NSDR and log-WMSE, for which :func:`~sksvs.metrics.evaluate` has the
        sample rate and the mixture.
    sample_weight : sequence of float, optional
        As for :class:`SeparationScore`.

    Returns
    -------
    SeparationScore

    Raises
    ------
    ValueError
        If references or estimates do not have one of these shapes, or a reference holds NaN or
        inf; naming the track.
    """
    protocol = get_protocol(protocol)
    scores = []
    for track in tracks:
        scores.append(score_track(*track, protocol))
        scores[-1].warn()
    return SeparationScore(scores, protocol, sample_weight)


def score_track(name, references, estimates, protocol, mixture=None, sample_rate=None):
    """Score the estimates of one track; see :func:`score_tracks` for undefined scores.

    Parameters
    ----------
    name : str
    references, estimates : array of float, shape (n_sources, n_samples[, n_channels])
    protocol : Protocol
    mixture : array of float, shape (n_samples[, n_channels]), optional
        Needed for NSDR and log-WMSE.
    sample_rate : int, optional
        In Hz, needed for windows and log-WMSE.

    Returns
    -------
    TrackScore
    """
    n_axes = (2, 3) if protocol.images else (2,)
    references = as_sources(references, f"the references of {name}", n_axes)
    estimates = as_sources(estimates, f"the estimates of {name}", n_axes)
    n_sources, n_samples = references.shape[:2]
    if mixture is None and {"nsdr", "log_wmse"} & {*protocol.metrics}:
        raise ValueError(
            f"Protocol {protocol.name!r} compares {name} with its mixture, which is not given. Use "
            "sksvs.metrics.evaluate."
        )
    silent = _silent_references(name, references)
    ranges = protocol.ranges(n_samples, sample_rate, name)
    defined = {m: definable(m, references, ranges, mixture) for m in protocol.metrics}
    if references.shape == estimates.shape and any(d.any() for d in defined.values()):
        windows = measure(references, estimates, ranges, protocol, mixture, sample_rate)
    else:
        windows = {m: np.full((n_sources, len(ranges)), np.nan) for m in protocol.metrics}
    sources = {metric: protocol.reduce_windows(values) for metric, values in windows.items()}
    left_out = {metric: ~where.any(axis=-1) for metric, where in defined.items()}
    problem = _problem(sources, left_out, silent, references, estimates)
    return TrackScore(name, n_samples, sources, windows, tuple(ranges), left_out, problem)


def _silent_references(name, references):
    """Return the indices of the references that are silent; raise if one is not finite."""
    powers = [signal_energy(reference) for reference in references]
    if not np.isfinite(powers).all():
        bad = int(np.argmin(np.isfinite(powers)))
        raise ValueError(f"{name} cannot be scored: its reference {bad} holds NaN or inf.")
    return [j for j, power in enumerate(powers) if power == 0]


def _problem(sources, left_out, silent, references, estimates):
    """Return which scores a track lacks, what follows, and why; None if it lacks none."""
    reason = f"its reference {silent[0]} is silent throughout" if silent else None
    lacking = [metric for metric, values in sources.items() if np.isnan(values[0])]
    if not lacking:
        partly = [metric for metric, out in left_out.items() if out.any()]
        if not partly:
            return None
        of = int(np.argmax(left_out[partly[0]]))
        return (
            f"has no {', '.join(partly)} of source {of}, so it is left out of that score: "
            f"{reason or 'in every window a reference is silent'}"
        )
    what = "scores" if len(lacking) == len(sources) else ", ".join(lacking)
    if all(left_out[metric][0] for metric in lacking):
        if lacking == ["log_wmse"]:
            reason = "its mixture is silent"
        reason = reason or "in every window a reference is silent"
        return f"has no {what}, so it is left out of the score: {reason}"
    power = signal_energy(estimates[0])
    if np.shape(estimates) != np.shape(references):
        shapes = np.shape(estimates), np.shape(references)
        reason = "its estimates have shape {}, but its references {}".format(*shapes)
    elif not np.isfinite(power):
        reason = "its estimate 0 holds NaN or inf"
    elif power == 0:
        reason = "its estimate 0 is silent throughout"
    else:
        reason = "in every window a reference or the estimate 0 is silent"
    return f"has no {what}, so it makes the mean NaN: {reason}"
