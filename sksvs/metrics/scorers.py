"""Scorers for scikit-learn's searches, which call the `score` of the estimator."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, overload

from sklearn.base import BaseEstimator

from sksvs.metrics.scores import names_of_sources, scores_by_column
from sksvs.typing import Truth


@overload
def bss_eval_scorer(*, sources: str = "voice") -> Callable[..., dict[str, float]]: ...
@overload
def bss_eval_scorer(
    estimator: BaseEstimator, X: Sequence[Any], y: Truth, *, sources: str = "voice"
) -> dict[str, float]: ...
def bss_eval_scorer(
    estimator: BaseEstimator | None = None,
    X: Sequence[Any] | None = None,
    y: Truth | None = None,
    *,
    sources: str = "voice",
) -> dict[str, float] | Callable[..., dict[str, float]]:
    """Return the mean SDR, SIR and SAR, for `cross_validate` and `GridSearchCV`.

    Use it as ``GridSearchCV(..., scoring=bss_eval_scorer, refit="sdr")``, or, for the scores of
    every source too, ``scoring=bss_eval_scorer(sources="all")``.

    Parameters
    ----------
    estimator : fitted separator, or Pipeline that ends in one; optional
        Without it, the result is a scorer with the given `sources`.
    X : list of mixtures
    y : list of their sources
    sources : {"voice", "all"}, default="voice"
        "all" adds columns for every source: "sdr_vocals", "sdr_bass" and so on, by the names of the
        sources in `y`, or else those that the separator was trained on.

    Returns
    -------
    dict
        "sdr", "sir" and "sar" of the voice, in dB; never inf. NaN if an estimate cannot be scored.
        A track in which any reference is silent is left out of all columns, for every candidate;
        an estimate that is silent or holds NaN makes the columns of its own source NaN.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.estimators import IdealMaskOracle
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=1, duration=1.0, random_state=0)
    >>> oracle = make_pipeline(STFTTransformer(), IdealMaskOracle()).fit(X, y)
    >>> list(bss_eval_scorer(oracle, X, y, sources="all"))[:5]
    ['sdr', 'sir', 'sar', 'sdr_vocals', 'sdr_accompaniment']
    """
    if sources not in ("voice", "all"):
        raise ValueError(f"sources must be 'voice' or 'all'; got {sources!r}.")
    if estimator is None:
        return partial(bss_eval_scorer, sources=sources)  # type: ignore[return-value]
    score = estimator.score(X, y)
    voice = {metric: float(values[0]) for metric, values in score.sources.items()}
    if sources == "voice":
        return voice
    names = names_of_sources(y, estimator, len(score.sources["sdr"]))
    return voice | scores_by_column(score.sources, names)


def sdr_scorer(estimator: BaseEstimator, X: Sequence[Any], y: Truth) -> float:
    """Return the mean SDR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sdr"]


def sir_scorer(estimator: BaseEstimator, X: Sequence[Any], y: Truth) -> float:
    """Return the mean SIR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sir"]


def sar_scorer(estimator: BaseEstimator, X: Sequence[Any], y: Truth) -> float:
    """Return the mean SAR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sar"]
