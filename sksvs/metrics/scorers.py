"""Scorers for scikit-learn's searches, which call the `score` of the estimator."""

from functools import partial

from sksvs.metrics.scores import scores_by_column


def bss_eval_scorer(estimator=None, X=None, y=None, *, sources="voice"):
    """Return the mean SDR, SIR and SAR, for `cross_validate` and `GridSearchCV`.

    Use it as ``GridSearchCV(..., scoring=bss_eval_scorer, refit="sdr")``, or, for the scores of
    the accompaniment too, ``scoring=bss_eval_scorer(sources="all")``.

    Parameters
    ----------
    estimator : fitted separator, or Pipeline that ends in one; optional
        Without it, the result is a scorer with the given `sources`.
    X : list of mixtures
    y : list of their sources
    sources : {"voice", "all"}, default="voice"
        "all" adds a column for every source: "sdr_0", "sir_0", "sar_0", "sdr_1", …

    Returns
    -------
    dict
        "sdr", "sir" and "sar" of the voice, in dB; never inf. NaN if an estimate cannot be scored.
    """
    if sources not in ("voice", "all"):
        raise ValueError(f"sources must be 'voice' or 'all'; got {sources!r}.")
    if estimator is None:
        return partial(bss_eval_scorer, sources=sources)
    score = estimator.score(X, y)
    voice = {metric: float(values[0]) for metric, values in score.sources.items()}
    return voice | scores_by_column(score.sources) if sources == "all" else voice


def sdr_scorer(estimator, X, y):
    """Return the mean SDR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sdr"]


def sir_scorer(estimator, X, y):
    """Return the mean SIR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sir"]


def sar_scorer(estimator, X, y):
    """Return the mean SAR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sar"]
