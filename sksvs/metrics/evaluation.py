"""Separate and score many tracks; put the scores into a table with a row for each track."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from sksvs.audio.centred import difference_from_sum
from sksvs.metrics.protocols import Protocol, get_protocol
from sksvs.metrics.scores import SeparationScore, score_track, scores_by_column
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    assume_rate,
    check_mixtures,
    check_sources,
    warn_of_assumed_rate,
    warn_of_difference,
)
from sksvs.system.terminal import is_terminal


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The result of :func:`evaluate`: printable, and a table.

    Parameters
    ----------
    scores : dict of str to SeparationScore
        Of "estimate", and of "mixture" and "oracle" if they were asked for.
    protocol : Protocol
    names : list of str
        The names of the tracks.
    seconds : list of float
        Their lengths; NaN if the sample rate is not known.

    Attributes
    ----------
    rows : list of dict
        One for each track: "track", "seconds" and, for every source, the scores of the estimate
        as "sdr_0", of the others as "mixture_sdr_0" and "oracle_sdr_0". In dB.
    summary : dict
        The row that the protocol reduces them to.
    table : pandas.DataFrame, or `rows` if pandas is not installed
    """

    scores: dict
    protocol: Protocol
    names: list
    seconds: list

    @property
    def rows(self):
        """The scores of every track."""
        tracks = zip(*(score.tracks for score in self.scores.values()))
        return [self._row(*facts) for facts in zip(self.names, self.seconds, tracks)]

    @property
    def summary(self):
        """The one row that the protocol reduces the tracks to."""
        return self._row("all", sum(self.seconds), self.scores.values())

    @property
    def table(self):
        """The rows as a `pandas.DataFrame` if pandas is installed, else as they are."""
        if not find_spec("pandas"):
            return self.rows
        from pandas import DataFrame  # not needed otherwise

        return DataFrame(self.rows)

    def _row(self, name, seconds, scores):
        row = {"track": name, "seconds": seconds}
        for who, score in zip(self.scores, scores):
            row |= scores_by_column(score.sources, _prefix(who))
        return row

    def __str__(self):
        """Return the scores of the voice as text: a line for each track, then the summary."""
        metrics = self.protocol.metrics
        lines = [
            f"{self.protocol.name}: {self.protocol.source}",
            f"{self.protocol.variant}; the voice, dB",
            f"{'':<32}" + "".join(f"{who:>{9 * len(metrics)}}" for who in self.scores),
            f"{'track':<32}" + len(self.scores) * "".join(f"{m.upper():>9}" for m in metrics),
        ]
        columns = [f"{_prefix(who)}{metric}_0" for who in self.scores for metric in metrics]
        for row in [*self.rows, self.summary]:
            values = "".join(f"{row[column]:>9.2f}" for column in columns)
            lines.append(f"{row['track'][-31:]:<32}{values}")
        return "\n".join(lines)

    def __repr__(self):
        return f"<Evaluation of {len(self.names)} tracks by {self.protocol.name}: {self.summary}>"


def _prefix(who):
    return "" if who == "estimate" else f"{who}_"


def evaluate(
    estimator,
    X,
    y,
    *,
    protocol="whole_tracks",
    mixture=False,
    oracle=None,
    names=None,
    sample_rate=None,
    n_jobs=None,
    verbose=False,
):
    """Separate and score every track by a published protocol, with one track in memory at a time.

    Parameters
    ----------
    estimator : fitted separator, Pipeline that ends in one, or search over either
    X : list of mixtures
        As for the `predict` of the estimator.
    y : list of array or Sources, each (n_sources, n_samples[, n_channels])
        The true sources, the voice first.
    protocol : str or Protocol, default="whole_tracks"
        "whole_tracks" (what `score` computes), "huang2014" (MIR-1K: GNSDR, GSIR, GSAR),
        "sisec2016" (DSD100) or "musdb18" (MUSDB18); see :class:`~sksvs.metrics.Protocol`.
    mixture : bool, default=False
        Whether to score the unprocessed mixture too, as the lower bound.
    oracle : IdealMaskOracle, optional
        An upper bound to score too, with the steps before the separator in the estimator's
        pipeline.
    names : sequence of length n_tracks, optional
        The names of the tracks in the table, as `str` writes them. By default their paths.
    sample_rate : int, optional
        In Hz, of tracks that do not know their own. Protocols with windows need one.
    n_jobs : int, optional
        Tracks to score at once, as in joblib: -1 for one a core. Any joblib backend serves.
    verbose : bool, default=False
        Whether to show a progress bar if standard error is a terminal.

    Returns
    -------
    Evaluation
        Print it, or take ``.table`` (a row a track) and ``.scores["estimate"]``, a
        :class:`SeparationScore`. See :func:`score_tracks` for undefined scores.

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
        sources are not usable, or a sample rate is needed and not known; naming the track.

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
    seconds = [m.n_samples / rate if rate else float("nan") for m, rate in zip(mixtures, rates)]
    return Evaluation(scores, protocol, names, seconds)


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
    if not protocol.variant.images or np.ndim(estimates["estimate"]) == 2:
        references, unprocessed = _downmix(references, 2), _downmix(unprocessed, 1)
        estimates = {who: _downmix(estimate, 2) for who, estimate in estimates.items()}
    return difference, [
        score_track(mixture.name, references, estimates[who], protocol, unprocessed, sample_rate)
        for who in separators
    ]


def _downmix(signals, n_mono_axes):
    return signals if np.ndim(signals) == n_mono_axes else np.mean(signals, axis=-1)
