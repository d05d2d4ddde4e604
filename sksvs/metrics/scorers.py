"""Scorers for scikit-learn's searches; each reads the estimator's own `score`."""

from functools import partial


def bss_eval_scorer(estimator=None, X=None, y=None, *, sources="voice"):
    """Return the mean SDR, SIR and SAR, for `cross_validate` and `GridSearchCV`.

    Use it as ``GridSearchCV(..., scoring=bss_eval_scorer, refit="sdr")``, or, for the figures of
    the accompaniment, too, ``scoring=bss_eval_scorer(sources="all")``.

    Parameters
    ----------
    estimator : fitted separator, or Pipeline that ends in one; optional
        Without it, the result is a scorer that has the other settings.
    X : list of mixtures
    y : list of their sources
    sources : {"voice", "all"}, default="voice"
        "all" adds a column for every source: "sdr_0", "sir_0", "sar_0", "sdr_1", …

    Returns
    -------
    dict
        Keys "sdr", "sir" and "sar", those of the voice, in dB; never inf. NaN where an estimate
        cannot be judged.
    """
    if sources not in ("voice", "all"):
        raise ValueError(f"sources must be 'voice' or 'all'; got {sources!r}.")
    if estimator is None:
        return partial(bss_eval_scorer, sources=sources)
    score = estimator.score(X, y)
    figures = {metric: float(values[0]) for metric, values in score.sources.items()}
    if sources == "all":
        for metric, values in score.sources.items():
            figures |= {f"{metric}_{j}": float(value) for j, value in enumerate(values)}
    return figures


def sdr_scorer(estimator, X, y):
    """Return the mean SDR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sdr"]


def sir_scorer(estimator, X, y):
    """Return the mean SIR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sir"]


def sar_scorer(estimator, X, y):
    """Return the mean SAR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sar"]
