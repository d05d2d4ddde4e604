"""Separate and score many tracks, one at a time."""

import sys
from collections.abc import Sequence

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from sksvs.audio.centred import difference_from_sum
from sksvs.metrics.evaluation import Evaluation
from sksvs.metrics.protocols import Protocol, get_protocol
from sksvs.metrics.scores import SeparationScore, names_of_sources, score_track
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    assume_rate,
    check_mixtures,
    check_sources,
    warn_of_assumed_rate,
    warn_of_difference,
)
from sksvs.system.terminal import is_terminal
from sksvs.typing import Mixtures, Predictor, Truth


def evaluate(
    estimator: Predictor,
    X: Mixtures | Sequence[Spectrogram],
    y: Truth,
    *,
    protocol: str | Protocol = "whole_tracks",
    mixture: bool = False,
    oracle: BaseEstimator | None = None,
    names: Sequence[object] | None = None,
    sample_rate: int | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Evaluation:
    """Separate and score every track by a published protocol, with one track in memory at a time.

    Parameters
    ----------
    estimator : fitted separator, Pipeline that ends in one, or search over either
        Or any object whose ``predict([track])`` returns a list with the estimates of that
        track, such as one that reads the stems that another program wrote.
    X : list of mixtures
        As for the `predict` of the estimator.
    y : list of array or Sources, each (n_sources, n_samples[, n_channels])
        The true sources, the voice first.
    protocol : str or Protocol, default="whole_tracks"
        "whole_tracks" (what `score` computes), "huang2014" (MIR-1K: GNSDR, GSIR, GSAR),
        "park2018" (MIR-1K, clips loaded with ``mix="natural"``), "sisec2016" (DSD100), "musdb18"
        or "csdr" (MUSDB18), "mdx" (uSDR) or "log_wmse"; see :class:`~sksvs.metrics.Protocol`.
    mixture : bool, default=False
        Whether to score the unprocessed mixture too, as the lower bound.
    oracle : IdealMaskOracle, optional
        An upper bound to score too, with the steps before the separator in the estimator's
        pipeline.
    names : sequence of length n_tracks, optional
        The names of the tracks in the table, as `str` writes them. By default their paths.
    sample_rate : int, optional
        In Hz, of tracks that do not know their own. Protocols with windows or log-WMSE need one.
    n_jobs : int, optional
        Tracks to score at once, as in joblib: -1 for one a core. Any joblib backend serves.
    verbose : bool, default=False
        Whether to show a progress bar if standard error is a terminal.

    Returns
    -------
    Evaluation
        Print it, or take ``.table`` (a row a track), ``.windows`` (a row a window) and
        ``.scores["estimate"]``, a :class:`SeparationScore`. Columns are named after the sources, as
        "sdr_vocals": by the names that `y` has, or else the separator. See :func:`score_tracks` for
        undefined scores.

    Warns
    -----
    UserWarning
        If a mixture is not the sum of its sources: the difference, without its constant, has more
        than -30 dB of its energy. If tracks do not know their sample rate, and the estimator
        assumes one.

    Raises
    ------
    ValueError, TypeError
        If the protocol is not known, the number of names is not that of the tracks, a track or its
        sources are not usable or have other names than those of another track, or a sample rate is
        needed and not known; naming the track.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.estimators import IdealMaskOracle, MixtureBaseline
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> pipeline = make_pipeline(STFTTransformer(), MixtureBaseline()).fit(X, y)
    >>> found = evaluate(pipeline, X, y, protocol="huang2014", oracle=IdealMaskOracle())
    >>> abs(found.scores["estimate"].nsdr) < 1e-6, found.scores["oracle"].nsdr > 10
    (True, True)
    """
    protocol = get_protocol(protocol)
    waveforms = [x.waveform if isinstance(x, Spectrogram) else x for x in X]
    mixtures = check_mixtures(waveforms)
    names = [m.name for m in mixtures] if names is None else _check_names(names, len(mixtures))
    sources = check_sources(y, mixtures)
    source_names = names_of_sources(y, estimator, len(sources[0]))
    rates = [m.sample_rate or sample_rate for m in mixtures]
    for m, rate in zip(mixtures, rates):
        protocol.ranges(m.n_samples, rate, m.name)  # raises before the first track is separated
    estimator = getattr(estimator, "best_estimator_", estimator)
    if sample_rate is None:
        # Otherwise the estimator would assume it for one track after the other, and warn each time.
        sample_rate = _assumed_rate(estimator)
        unread = [m for x, m in zip(X, mixtures) if not isinstance(x, Spectrogram)]
        warn_of_assumed_rate(unread, sample_rate)
    tracks = [
        x if isinstance(x, Spectrogram) else m
        for x, m in zip(X, assume_rate(mixtures, sample_rate))
    ]
    separators = {"estimate": estimator}
    if mixture:
        separators["mixture"] = None
    if oracle is not None:
        if isinstance(estimator, Pipeline):
            oracle = Pipeline([*clone(estimator[:-1]).steps, ("oracle", clone(oracle))])
        separators["oracle"] = oracle.fit(tracks, y)

    work = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_score_all)(separators, *track, protocol)
        for track in zip(tracks, mixtures, sources, rates)
    )
    found = []
    hidden = not (verbose and is_terminal(sys.stderr))
    for difference, track_scores in tqdm(work, total=len(tracks), unit="track", disable=hidden):
        warn_of_difference(track_scores[0].name, difference)
        track_scores[0].warn()
        found.append(track_scores)
    scores = {
        who: SeparationScore(scores, protocol) for who, scores in zip(separators, zip(*found))
    }
    return Evaluation(scores, protocol, names, rates, source_names)


def _check_names(names, n_tracks):
    """Return the names of tracks as a list of str."""
    if isinstance(names, (str, bytes)) or not hasattr(names, "__iter__"):
        raise TypeError(f"names must be a sequence of texts, one a track; got {names!r}.")
    names = [str(name) for name in names]
    if len(names) != n_tracks:
        raise ValueError(
            f"names must have one name for each of the {n_tracks} tracks; got {len(names)} names."
        )
    return names


def _assumed_rate(estimator):
    """Return the sample rate that an estimator assumes, with a warning, for tracks without one."""
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    if any(getattr(step, "array_rate", None) for step in steps):
        return None  # it is given, so no warning is needed
    settings = [*steps, getattr(steps[-1], "stft_params_", None)]
    return next(filter(None, (getattr(x, "sample_rate", None) for x in settings)), None)


def _score_all(separators, track, mixture, sources, sample_rate, protocol):
    """Return the difference of a mixture from its sources, and the score of every separator."""
    references, unprocessed = np.stack([source[:] for source in sources]), mixture[:]
    difference = difference_from_sum(unprocessed, references)
    estimates = {"estimate": separators["estimate"].predict([track])[0]}
    if "mixture" in separators:
        estimates["mixture"] = np.broadcast_to(unprocessed, references.shape)
    if "oracle" in separators:
        estimates["oracle"] = separators["oracle"].predict([track], sources=[sources])[0]
    if not protocol.images or np.ndim(estimates["estimate"]) == 2:
        references, unprocessed = _downmix(references, 2), _downmix(unprocessed, 1)
        estimates = {who: _downmix(estimate, 2) for who, estimate in estimates.items()}
    return difference, [
        score_track(mixture.name, references, estimates[who], protocol, unprocessed, sample_rate)
        for who in separators
    ]


def _downmix(signals, n_mono_axes):
    return signals if np.ndim(signals) == n_mono_axes else np.mean(signals, axis=-1)
