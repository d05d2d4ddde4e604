"""Turn checks of a trial into functions of an estimator that say in full what is wrong."""

import warnings
from functools import update_wrapper
from inspect import getdoc
from unittest import SkipTest

import numpy as np

from sksvs.testing.trial import Trial

TOLERANCE = 1e-5  # of the peak: what equality means


def law(check):
    """Return a check, which takes a `Trial`, as a function of an estimator.

    The check raises an AssertionError that says what was got, or SkipTest where it does not apply.
    Its docstring states the law, the usual cause of a failure and the remedy, and is part of every
    error. Warnings of the separator are no failures.

    Parameters
    ----------
    check : callable

    Returns
    -------
    callable
        Takes an estimator or, to use one fit for many checks, its `trial`; raises AssertionError or
        SkipTest.
    """

    def run(estimator, *, trial=None):
        trial = Trial(estimator) if trial is None else trial
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check(trial)
        except SkipTest:
            raise
        except Exception as error:
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            raise AssertionError(
                f"{check.__name__} fails for {type(trial.estimator).__name__}.\n\n"
                f"{getdoc(check)}\n\nGot: {kind}{error}"
            ) from error

    update_wrapper(run, check)
    del run.__wrapped__  # whose signature is another
    return run


def require(holds, got):
    """Raise an AssertionError that says what was got if a law does not hold."""
    if not holds:
        raise AssertionError(got)


def require_close(found, expected, what, peak=None):
    """Raise an AssertionError if arrays differ by more than 1e-5 of the peak, or in shape.

    Parameters
    ----------
    found, expected : array, or list of array for a list of tracks
    what : str
        Names what was found in the error.
    peak : float, optional
        By default the largest absolute value of `expected`.
    """
    if isinstance(found, list):
        require(len(found) == len(expected), f"{len(found)} tracks in place of {len(expected)}.")
        for i, pair in enumerate(zip(found, expected)):
            require_close(*pair, f"{what}, track {i}", peak)
        return
    shapes = np.shape(found), np.shape(expected)
    require(shapes[0] == shapes[1], f"{what}: shape {shapes[0]} in place of {shapes[1]}.")
    peak = np.abs(expected).max(initial=0) if peak is None else peak
    difference = np.abs(np.subtract(found, expected, dtype=np.float64)).max(initial=0)
    require(
        difference <= max(TOLERANCE * peak, 1e-30),
        f"{what}: a difference of up to {difference:.2g}, where the peak is {peak:.2g}.",
    )


def message_of(call, *arguments):
    """Return the message of the ValueError or TypeError that a call raises; None without one."""
    try:
        call(*arguments)
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def require_named(message, *names):
    """Raise an AssertionError if a message is missing, or has none of the names."""
    require(message is not None, "no error.")
    expected = " or ".join(names)
    require(any(name in message for name in names), f"no {expected} in the error: {message}")
