"""Separate and score many tracks, and put the figures into a table, a row a track."""

import sys
from importlib.util import find_spec

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from sksvs.audio.centred import difference_from_sum
from sksvs.audio.waveform import AtRate, Waveform
from sksvs.metrics.protocols import get_protocol
from sksvs.metrics.scores import SeparationScore, score_track
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    check_mixtures,
    check_sources,
    warn_of_assumed_rate,
    warn_of_difference,
)
from sksvs.system.terminal import is_terminal


class Evaluation:
    """What :func:`evaluate` found: printable, and a table.

    Parameters
    ----------
    scores : dict of str to SeparationScore
        Of "estimate", and of "mixture" and "oracle" where they were asked for.
    protocol : Protocol
    names : list of str
        Of the tracks.
    seconds : list of float
        Their lengths; NaN where the sample rate is not known.

    Attributes
    ----------
    scores, protocol, names, seconds
        As above.
    rows : list of dict
        One for each track: "track", "seconds" and, for every source, the figures of the estimate
        as "sdr_0", of the others as "mixture_sdr_0" and "oracle_sdr_0". In dB.
    summary : dict
        The row that the protocol reduces them to.
    table : pandas.DataFrame, or `rows` where pandas is not installed
    """

    def __init__(self, scores, protocol, names, seconds):
        self.scores, self.protocol = scores, protocol
        self.names, self.seconds = names, seconds

    @property
    def rows(self):
        """The figures of every track."""
        return [
            {"track": name, "seconds": seconds}
            | self._figures(lambda score, i=i: score.tracks[i].sources)
            for i, (name, seconds) in enumerate(zip(self.names, self.seconds))
        ]

    @property
    def summary(self):
        """The one row that the protocol reduces the tracks to."""
        return {"track": "all", "seconds": sum(self.seconds)} | self._figures(lambda s: s.sources)

    @property
    def table(self):
        """The rows as a `pandas.DataFrame` where pandas is installed, else as they are."""
        if not find_spec("pandas"):
            return self.rows
        from pandas import DataFrame  # not needed otherwise

        return DataFrame(self.rows)

    def _figures(self, sources_of):
        return {
            f"{_prefix(who)}{metric}_{j}": float(value)
            for who, score in self.scores.items()
            for metric, values in sources_of(score).items()
            for j, value in enumerate(values)
        }

    def __str__(self):
        """Return the voice's figures as text: a line a track, then the protocol's own."""
        metrics = self.protocol.metrics
        lines = [
            f"{self.protocol.name}: {self.protocol.source}",
            f"{self.protocol.variant}; the voice, dB",
            f"{'':<32}" + "".join(f"{who:>{9 * len(metrics)}}" for who in self.scores),
            f"{'track':<32}" + len(self.scores) * "".join(f"{m.upper():>9}" for m in metrics),
        ]
        for row in [*self.rows, self.summary]:
            figures = [
                row[f"{_prefix(who)}{metric}_0"] for who in self.scores for metric in metrics
            ]
            line = "".join(f"{figure:>9.2f}" for figure in figures)
            lines.append(f"{row['track'][-31:]:<32}{line}")
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
    """Separate and score every track by a protocol of the field, one in memory at a time.

    Parameters
    ----------
    estimator : fitted separator, Pipeline that ends in one, or search over such
    X : list of mixtures
        As for its `predict`.
    y : list of array or Sources, each (n_sources, n_samples[, n_channels])
        The true sources, the voice first.
    protocol : str or Protocol, default="whole_tracks"
        "whole_tracks" (what `score` computes), "huang2014" (MIR-1K: GNSDR, GSIR, GSAR),
        "sisec2016" (DSD100) or "musdb18" (MUSDB18); see :class:`~sksvs.metrics.Protocol`.
    mixture : bool, default=False
        Whether to score the unprocessed mixture beside it: the lower bound.
    oracle : IdealMaskOracle, optional
        An upper bound to score beside it, with the analysis of the estimator's own pipeline.
    names : sequence of length n_tracks, optional
        What to call the tracks in the table: texts, or what `str` makes texts of. By default their
        paths.
    sample_rate : int, optional
        In Hz, of tracks that do not know their own. Protocols with windows need it.
    n_jobs : int, optional
        Tracks to work on at once, as in joblib: -1 for one a core. Any joblib backend serves.
    verbose : bool, default=False
        Whether to show a progress bar, where standard error is a terminal.

    Returns
    -------
    Evaluation
        Print it, or take ``.table`` (a row a track) and ``.scores["estimate"]``, a
        :class:`SeparationScore`. What is undefined is as for :func:`score_tracks`.

    Warns
    -----
    UserWarning
        If a mixture is not the sum of its sources: they differ by more than -30 dB of its energy,
        constants aside. If tracks do not know their sample rate, and the estimator assumes one.

    Raises
    ------
    ValueError, TypeError
        If the protocol is not known, there are more or fewer names than tracks, the tracks are not
        as they should be, or a sample rate is needed and not known; naming the track.

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
    mixtures = [x.waveform if isinstance(x, Spectrogram) else x for x in X]
    mixtures = check_mixtures(mixtures, one_rate=False)
    names = [m.name for m in mixtures] if names is None else _check_names(names, len(mixtures))
    sources = check_sources(y, mixtures)
    tracks = [x if isinstance(x, Spectrogram) else m for x, m in zip(X, mixtures)]
    estimator = getattr(estimator, "best_estimator_", estimator)
    separators = {"estimate": estimator}
    if mixture:
        separators["mixture"] = None
    if oracle is not None:
        if isinstance(estimator, Pipeline):
            oracle = Pipeline([*clone(estimator[:-1]).steps, ("oracle", clone(oracle))])
        separators["oracle"] = oracle.fit(tracks, y)
    rates = [sample_rate if m.sample_rate is None else m.sample_rate for m in mixtures]
    for m, rate in zip(mixtures, rates):
        protocol.ranges(m.n_samples, rate, m.name)  # before the first track takes its time
    tracks = _with_rates(tracks, estimator, sample_rate)

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


def _with_rates(tracks, estimator, sample_rate):
    """Return the tracks at the rate that is given, or that the estimator assumes, with a warning.

    It would assume the same track after track, and warn of every one.
    """
    steps = (
        [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    )
    if sample_rate is None and not any(getattr(step, "array_rate", None) for step in steps):
        assumed = [getattr(step, "sample_rate", None) for step in steps]
        fitted = getattr(steps[-1], "stft_params_", None)
        assumed.append(getattr(fitted, "sample_rate", None))
        sample_rate = next((rate for rate in assumed if rate is not None), None)
        warn_of_assumed_rate([x for x in tracks if isinstance(x, Waveform)], sample_rate)
    if sample_rate is None:
        return tracks
    return [
        AtRate(x, sample_rate) if isinstance(x, Waveform) and x.sample_rate is None else x
        for x in tracks
    ]


def _score_all(separators, track, mixture, sources, sample_rate, protocol):
    """Return how the mixture differs from its sources, and the `TrackScore` of every separator."""
    references, unprocessed = np.stack([source[:] for source in sources]), mixture[:]
    difference = difference_from_sum(unprocessed, references)
    estimates = {"estimate": separators["estimate"].predict([track])[0]}
    if "mixture" in separators:
        estimates["mixture"] = np.broadcast_to(unprocessed, references.shape)
    if "oracle" in separators:
        estimates["oracle"] = separators["oracle"].predict([track], sources=[sources])[0]
    if not protocol.variant.images or np.ndim(estimates["estimate"]) == 2:
        references, unprocessed = _channel_mean(references, 2), _channel_mean(unprocessed, 1)
        estimates = {who: _channel_mean(e, 2) for who, e in estimates.items()}
    return difference, [
        score_track(mixture.name, references, estimates[who], protocol, unprocessed, sample_rate)
        for who in separators
    ]


def _channel_mean(signals, mono_dimensions):
    return signals if np.ndim(signals) == mono_dimensions else np.mean(signals, axis=-1)
