"""Reduce the figures of many tracks to one score that never misleads a search."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics._bss_eval import SourceScores, bss_eval

LARGEST_DB = 100.0


class TrackScore(NamedTuple):
    """The figures of one track.

    Attributes
    ----------
    name : str
        The path, where there is one.
    sources : SourceScores
        SDR, SIR and SAR in dB, each of shape (n_sources,), the voice first; within ±100 or NaN.
    left_out : bool
        Whether the track has a silent reference, so that no candidate can be judged by it.
    """

    name: str
    sources: SourceScores
    left_out: bool = False


class SeparationScore(float):
    """The mean SDR of the voice in dB, as a float that also carries SIR and SAR.

    Parameters
    ----------
    tracks : sequence of TrackScore

    Attributes
    ----------
    sdr, sir, sar : float
        Means over the tracks of the figures of source 0, in dB. NaN where the estimate of any
        track could not be judged, or no track could.
    tracks : tuple of TrackScore
        The figures behind the means, for every track and every source.

    Examples
    --------
    >>> figures = SourceScores(*np.array([[6.0, 9.0], [10.0, 12.0], [8.0, 11.0]]))
    >>> score = SeparationScore([TrackScore("song.wav", figures)])
    >>> score
    SeparationScore(sdr=6.00, sir=10.00, sar=8.00)
    >>> score + 1
    7.0
    """

    def __new__(cls, tracks):
        tracks = tuple(tracks)
        judged = [[figure[0] for figure in t.sources] for t in tracks if not t.left_out]
        means = np.mean(judged, axis=0).tolist() if judged else [float("nan")] * 3
        score = super().__new__(cls, means[0])
        score.sdr, score.sir, score.sar = means
        score.tracks = tracks
        return score

    def __getnewargs__(self):
        return (self.tracks,)

    def __repr__(self):
        return f"SeparationScore(sdr={self.sdr:.2f}, sir={self.sir:.2f}, sar={self.sar:.2f})"


def score_tracks(tracks):
    """Score the estimates of many tracks, one in memory at a time.

    The policy for what is undefined: a track with a silent reference is left out, for every
    candidate alike, and so is one whose references cannot be told apart (a track of one sample).
    An estimate that is silent, holds NaN or inf, or has another length than
    its reference gives NaN, which makes the mean NaN, so that nobody wins by failing on the
    hard tracks. Each of these warns and names the track. All figures are kept within ±100 dB.

    Parameters
    ----------
    tracks : iterable of (name, references, estimates)
        Arrays of shape (n_sources, n_samples), mono.

    Returns
    -------
    SeparationScore
    """
    return SeparationScore(_score_track(*track) for track in tracks)


def _score_track(name, references, estimates):
    n_sources = len(references)
    undefined = SourceScores(*np.full((3, n_sources), np.nan))
    if not np.any(references, axis=1).all():
        silent = int(np.argmin(np.any(references, axis=1)))
        _warn(f"{name} is left out of the score: its reference {silent} is silent throughout.")
        return TrackScore(name, undefined, left_out=True)
    if np.shape(estimates) != np.shape(references):
        _warn(
            f"{name} has no score, and so the mean is NaN: its estimates have shape "
            f"{np.shape(estimates)}, but its references {np.shape(references)}."
        )
        return TrackScore(name, undefined)
    for problem, found in (
        ("holds NaN or inf", not np.isfinite(estimates[0]).all()),
        ("is silent throughout", not np.any(estimates[0])),
    ):
        if found:
            _warn(f"{name} has no score, and so the mean is NaN: its estimate 0 {problem}.")
            return TrackScore(name, undefined)
    scores = bss_eval(references, estimates)
    if np.isnan(scores.sdr[0]):
        _warn(f"{name} is left out of the score: its references cannot be told apart.")
        return TrackScore(name, undefined, left_out=True)
    return TrackScore(name, SourceScores(*np.clip(scores, -LARGEST_DB, LARGEST_DB)))


def _warn(message):
    warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
