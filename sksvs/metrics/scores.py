"""Score tracks, and reduce the scores of many to one that a search can maximise."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics.bss_eval.comparison import MAX_DB, measure_track
from sksvs.metrics.bss_eval.signals import as_sources, signal_energy
from sksvs.metrics.protocols import get_protocol


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
    left_out : bool
        Whether the track is left out of the mean, because a reference is silent.
    problem : str or None
        Why the voice has no scores; None if it has.
    """

    name: str
    n_samples: int
    sources: dict
    windows: dict
    left_out: bool = False
    problem: str | None = None

    def warn(self):
        """Warn if the track has no scores, naming it, the consequence and the reason."""
        if self.problem is not None:
            follows = "is left out of the score" if self.left_out else "makes the mean NaN"
            message = f"{self.name} has no scores, so it {follows}: {self.problem}."
            warnings.warn(message, UndefinedMetricWarning, stacklevel=3)


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
        The variant of BSS Eval.
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

    def __new__(cls, tracks, protocol="whole_tracks", sample_weight=None):
        """Reduce the scores of the tracks that are not left out."""
        tracks, protocol = tuple(tracks), get_protocol(protocol)
        weights = np.ones(len(tracks))
        if sample_weight is not None:
            weights = check_weights(sample_weight, len(tracks))
        kept = [w > 0 and not track.left_out for w, track in zip(weights, tracks)]
        scored = [track for track, keep in zip(tracks, kept) if keep]
        sources = {}
        for metric in protocol.metrics:
            values = np.array([t.sources[metric] for t in scored or tracks], dtype=float).T
            if not scored:
                sources[metric] = np.full(len(values) or 1, np.nan)
            elif sample_weight is not None:
                sources[metric] = np.average(values, axis=-1, weights=weights[kept])
            else:
                sources[metric] = protocol.reduce_tracks(values, [t.n_samples for t in scored])
        score = super().__new__(cls, sources[protocol.metrics[0]][0])
        for metric, values in sources.items():
            setattr(score, metric, float(values[0]))
        score.sources, score.tracks = sources, tracks
        score.protocol, score.variant = protocol.name, str(protocol.variant)
        score._reduced_by = protocol, sample_weight
        return score

    def __getnewargs__(self):
        return (self.tracks, *self._reduced_by)

    def __repr__(self):
        values = (f"{metric}={getattr(self, metric):.2f}" for metric in self.sources)
        return f"SeparationScore({', '.join(values)})"


def scores_by_column(sources, prefix=""):
    """Return the scores of all sources, given by metric, by column: "sdr_0", "sdr_1" and so on."""
    return {
        f"{prefix}{metric}_{j}": float(value)
        for metric, values in sources.items()
        for j, value in enumerate(values)
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


def score_tracks(tracks, protocol="whole_tracks", sample_weight=None):
    """Score the estimates of many tracks, with one track in memory at a time.

    Undefined scores are treated alike everywhere in the package:

    - A track with a reference that is silent throughout is left out, whatever the estimates are.
    - An estimate of the voice that is silent throughout, holds NaN or inf, or has another length
      than its reference has scores of NaN, which make the mean NaN, so that no separator gains by
      failing on hard tracks. Such an estimate of another source only affects that source.
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
        One without windows and NSDR, for which :func:`~sksvs.metrics.evaluate` has the sample rate
        and the mixture.
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
        Needed for NSDR.
    sample_rate : int, optional
        In Hz, needed for windows.

    Returns
    -------
    TrackScore
    """
    n_axes = (2, 3) if protocol.variant.images else (2,)
    references = as_sources(references, f"the references of {name}", n_axes)
    estimates = as_sources(estimates, f"the estimates of {name}", n_axes)
    n_sources, n_samples = references.shape[:2]
    problem, left_out = _problem(name, references, estimates)
    if problem is None:
        ranges = protocol.ranges(n_samples, sample_rate, name)
        compared = mixture if "nsdr" in protocol.metrics else None
        windows = measure_track(references, estimates, ranges, protocol.variant, compared)
        windows = {m: np.clip(windows[m], -MAX_DB, MAX_DB) for m in protocol.metrics}
        if np.isnan(windows[protocol.metrics[0]][0]).all():
            left_out = not any(all(signal_energy(r[a:b]) for r in references) for a, b in ranges)
            silent = "a reference" if left_out else "a reference or the estimate 0"
            problem = f"in every window {silent} is silent"
    if problem is not None:
        windows = {metric: np.full((n_sources, 1), np.nan) for metric in protocol.metrics}
    sources = {metric: protocol.reduce_windows(values) for metric, values in windows.items()}
    return TrackScore(name, n_samples, sources, windows, left_out, problem)


def _problem(name, references, estimates):
    """Return why a track has no scores (None: it has), and whether it is left out for that."""
    powers = [signal_energy(reference) for reference in references]
    if not np.isfinite(powers).all():
        bad = int(np.argmin(np.isfinite(powers)))
        raise ValueError(f"{name} cannot be scored: its reference {bad} holds NaN or inf.")
    if not all(powers):
        return f"its reference {powers.index(0)} is silent throughout", True
    if np.shape(estimates) != np.shape(references):
        shapes = np.shape(estimates), np.shape(references)
        return "its estimates have shape {}, but its references {}".format(*shapes), False
    power = signal_energy(estimates[0])
    if not np.isfinite(power):
        return "its estimate 0 holds NaN or inf", False
    if power == 0:
        return "its estimate 0 is silent throughout", False
    return None, False
