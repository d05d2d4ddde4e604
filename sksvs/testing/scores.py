"""Laws on scores: finite where they are defined, and never better for what cannot be scored."""

import numpy as np

from sksvs.metrics import bss_eval_sources
from sksvs.testing.laws import law, require
from sksvs.testing.trial import songs

DECIBEL = 0.05  # by which equal scores may differ
RANGE = 60.0  # dB: beyond it, scores are of rounding


@law
def check_the_score_is_a_float_with_sdr_sir_and_sar(trial):
    """`score` returns a finite float, the SDR of the voice in dB, with `.sdr`, `.sir` and `.sar`.

    Usual cause: a plain number is returned. Return what `sksvs.metrics.score_tracks` returns.
    """
    score = trial.fitted.score(*songs())
    require(isinstance(score, float), f"a {type(score).__name__}.")
    for name in ("sdr", "sir", "sar"):
        value = getattr(score, name, None)
        require(value is not None and np.isfinite(value), f"{name} = {value}.")
    require(float(score) == score.sdr, f"{float(score)}, but sdr = {score.sdr}.")


@law
def check_the_score_is_that_of_the_estimates(trial):
    """`score` is the mean over the tracks of the SDR of the voice that `predict` returns.

    Usual cause: `score` separates in another way than `predict`, scores another source, or joins
    the tracks. Score what `predict` returns.
    """
    X, y = songs()
    pairs = zip(y, trial.predict(*X))
    expected = np.mean([bss_eval_sources(*pair).sdr[0] for pair in pairs])
    _require_equal(trial.fitted.score(X, y), expected)


@law
def check_a_silent_reference_is_left_out_of_the_score(trial):
    """A track whose reference is silent has no SDR and is left out; the mean is of the others.

    Usual cause: its score is taken as 0, NaN or inf. `sksvs.metrics.score_tracks` leaves it out.
    """
    X, y = songs()
    expected = trial.fitted.score([X[0], X[2]], [y[0], y[2]])
    y[1][0] = 0
    X[1] = y[1].sum(axis=0)
    _require_equal(trial.fitted.score(X, y), expected)


@law
def check_a_silent_estimate_makes_the_score_nan(trial):
    """A silent estimate of a voice that is not silent makes the score NaN, and is no error.

    Usual cause: such a track is left out, so that a separator gains by silence on hard tracks.
    `sksvs.metrics.score_tracks` makes the mean NaN.
    """
    X, y = songs()
    X[1] = np.zeros_like(X[1])
    score = trial.fitted.score(X, y)
    require(np.isnan(score), f"a score of {float(score):.2f} dB.")


def _require_equal(found, expected):
    found, expected = np.clip([found, expected], -RANGE, RANGE)
    require(abs(found - expected) <= DECIBEL, f"{found:.2f} dB in place of {expected:.2f} dB.")
