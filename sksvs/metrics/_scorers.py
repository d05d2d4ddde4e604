"""Scorers for scikit-learn's searches; each reads the estimator's own `score`."""


def bss_eval_scorer(estimator, X, y):
    """Return the mean SDR, SIR and SAR of the voice, for `cross_validate` and `GridSearchCV`.

    Use it as ``GridSearchCV(..., scoring=bss_eval_scorer, refit="sdr")``.

    Parameters
    ----------
    estimator : fitted separator, or Pipeline that ends in one
    X : list of mixtures
    y : list of their sources

    Returns
    -------
    dict
        Keys "sdr", "sir" and "sar", in dB; never inf. NaN where an estimate cannot be judged.
    """
    score = estimator.score(X, y)
    return {"sdr": score.sdr, "sir": score.sir, "sar": score.sar}


def sdr_scorer(estimator, X, y):
    """Return the mean SDR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sdr"]


def sir_scorer(estimator, X, y):
    """Return the mean SIR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sir"]


def sar_scorer(estimator, X, y):
    """Return the mean SAR of the voice in dB, for `cross_val_score` and `learning_curve`."""
    return bss_eval_scorer(estimator, X, y)["sar"]
