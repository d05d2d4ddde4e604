"""Reduce the figures of many tracks to one score that never misleads a search."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics.bss_eval.comparison import MAX_DB, measure_track
from sksvs.metrics.bss_eval.signals import as_sources, signal_energy
from sksvs.metrics.protocols import get_protocol


class TrackScore(NamedTuple):
    """The figures of one track.

    Attributes
    ----------
    name : str
        The path, where there is one.
    n_samples : int
        Its length, by which a protocol may weight it.
    sources : dict of str to array of float64
        By metric, in dB, each of shape (n_sources,), the voice first; within ±100 or NaN.
    windows : dict of str to array of float64
        The same before windows were reduced, each (n_sources, n_windows).
    left_out : bool
        Whether no candidate can be judged by the track: a reference is silent.
    problem : str or None
        Why the voice has no figures, in words.
    """

    name: str
    n_samples: int
    sources: dict
    windows: dict
    left_out: bool = False
    problem: str | None = None

    def warn(self):
        """Warn if the track has no figures, naming it, what follows from that and why."""
        if self.problem is not None:
            follows = "is left out of the score" if self.left_out else "makes the mean NaN"
            message = f"{self.name} has no figures, so it {follows}: {self.problem}."
            warnings.warn(message, UndefinedMetricWarning, stacklevel=3)


class SeparationScore(float):
    """The score of the voice in dB, as a float that also carries the other figures.

    The float is the first metric of the protocol: the mean SDR for what `score` returns.

    Parameters
    ----------
    tracks : sequence of TrackScore
    protocol : str or Protocol, default="whole_tracks"
        How the tracks are reduced.
    sample_weight : sequence of float of length n_tracks, optional
        Weights of the tracks in a mean that takes the place of the protocol's reduction. A track
        of weight 0 is left out.

    Attributes
    ----------
    sdr, sir, sar, … : float
        The figures of source 0, in dB, one attribute for every metric of the protocol. NaN where
        the estimate of any track could not be judged, or no track could.
    sources : dict of str to array of float64
        The same for all sources: by metric, each of shape (n_sources,).
    protocol : str
        Which protocol reduced the tracks.
    variant : str
        Which BSS Eval gave the figures.
    tracks : tuple of TrackScore
        The figures behind it, for every track and every source.

    Examples
    --------
    >>> figures = {"sdr": np.array([6.0, 9.0]), "sir": np.array([10.0, 12.0]),
    ...            "sar": np.array([8.0, 11.0])}
    >>> score = SeparationScore([TrackScore("song.wav", 44100, figures, {})])
    >>> score
    SeparationScore(sdr=6.00, sir=10.00, sar=8.00)
    >>> score + 1
    7.0
    >>> score.variant
    'BSS Eval version 3, sources, 512 taps'
    """

    def __new__(cls, tracks, protocol="whole_tracks", sample_weight=None):
        """Average the scores of the tracks that count."""
        tracks, protocol = tuple(tracks), get_protocol(protocol)
        given = sample_weight is not None
        weights = check_weights(sample_weight, len(tracks)) if given else np.ones(len(tracks))
        kept = [w > 0 and not track.left_out for w, track in zip(weights, tracks)]
        judged = [track for track, keep in zip(tracks, kept) if keep]
        lengths = [track.n_samples for track in judged]
        sources = {}
        for metric in protocol.metrics:
            values = [track.sources[metric] for track in (judged or tracks)]
            per_source = np.array(values, dtype=float).T
            if not judged:
                sources[metric] = np.full(len(per_source) or 1, np.nan)
            elif given:
                sources[metric] = np.average(per_source, axis=-1, weights=weights[kept])
            else:
                sources[metric] = protocol.reduce_tracks(per_source, lengths)
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
        figures = (f"{metric}={getattr(self, metric):.2f}" for metric in self.sources)
        return f"SeparationScore({', '.join(figures)})"


def check_weights(sample_weight, n_tracks):
    """Return the weights of tracks in a mean: float64, shape (n_tracks,)."""
    weights = np.asarray(sample_weight, dtype=np.float64)
    usable = np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
    if weights.shape != (n_tracks,) or not usable:
        raise ValueError(
            f"sample_weight must have a finite number for each of the {n_tracks} tracks, none "
            f"below 0 and not all 0; got {sample_weight!r}."
        )
    return weights


def score_tracks(tracks, protocol="whole_tracks", sample_weight=None):
    """Score the estimates of many tracks, one in memory at a time.

    The policy for what is undefined, the same everywhere:

    - a track with a reference that is silent throughout is left out, for every candidate alike;
    - an estimate of the voice that is silent throughout, holds NaN or inf, or has another length
      than its reference has no figures (NaN), which makes the mean NaN, so that nobody wins by
      failing on the hard tracks; that of another source only its own;
    - in a protocol with windows, those in which a reference or the estimate is silent are left
      out of the track's mean or median, as the protocol's own tools do;
    - all figures are kept within ±100 dB: a perfect estimate has 100 dB, and a track with a single
      source an SIR of 100 dB.

    The first two warn and name the track.

    Parameters
    ----------
    tracks : iterable of (name, references, estimates)
        Arrays of shape (n_sources, n_samples), or (n_sources, n_samples, n_channels) where the
        protocol scores images.
    protocol : str or Protocol, default="whole_tracks"
        Without windows and NSDR, which need more than references and estimates: for these there
        is :func:`~sksvs.metrics.evaluate`.
    sample_weight : sequence of float, optional
        As of :class:`SeparationScore`.

    Returns
    -------
    SeparationScore

    Raises
    ------
    ValueError
        If references or estimates are no sources, with time as the second axis, or a reference
        holds NaN or inf; naming the track.
    """
    protocol = get_protocol(protocol)
    scores = []
    for track in tracks:
        scores.append(score_track(*track, protocol))
        scores[-1].warn()
    return SeparationScore(scores, protocol, sample_weight)


def score_track(name, references, estimates, protocol, mixture=None, sample_rate=None):
    """Score the estimates of one track; see :func:`score_tracks` for what is undefined.

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
    """Return why a track has no figures (None: it has), and whether it is left out for that."""
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
