"""Run all laws on a separator, or hand them to pytest one by one."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from unittest import SkipTest

from sklearn.base import BaseEstimator
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

from sksvs.testing import errors, estimates, fits, parameters, predictions, scores
from sksvs.testing.trial import Trial

CHECKS = {  # by name, in the order in which they run
    name: check
    for module in (parameters, fits, estimates, predictions, scores, errors)
    for name, check in vars(module).items()
    if name.startswith("check_")
}


def check_separator(
    estimator: BaseEstimator,
    *,
    expected_failed_checks: Mapping[str, str] | None = None,
    on_skip: str | None = "warn",
    on_fail: str | None = "raise",
) -> list[dict[str, Any]]:
    """Check that a separator keeps the laws of the library.

    The analogue of :func:`sklearn.utils.estimator_checks.check_estimator`, with short synthesised
    songs. The separator is cloned and fitted about twenty times.

    Parameters
    ----------
    estimator : separator or Pipeline
        An instance, which is not changed. A separator gets spectrograms: it is checked behind an
        :class:`~sksvs.transforms.STFTTransformer` of ``n_fft=256``. A Pipeline is taken as it is
        and gets waveforms, so a separator of waveforms is given as ``make_pipeline(separator)``. A
        `random_state` of None is set to 0.
    expected_failed_checks : dict of str to str, optional
        By the name of a check, why it is expected to fail.
    on_skip : {"warn", None}, default="warn"
        Whether a check that does not apply is a SkipTestWarning.
    on_fail : {"raise", "warn", None}, default="raise"
        Whether a check that fails, and was not expected to, ends the run with its error. "warn":
        an EstimatorCheckFailedWarning for each, expected or not; None: neither. With both, all
        checks run.

    Returns
    -------
    list of dict
        One for every check: "estimator", "check_name", "exception" (None if it passed), "status"
        ("passed", "failed", "xfail" or "skipped"), "expected_to_fail" and
        "expected_to_fail_reason", as of scikit-learn.

    Raises
    ------
    AssertionError
        With the law, what was got, the usual cause and the remedy, if ``on_fail="raise"``.
    TypeError, ValueError
        If the estimator is a class, an option is unknown, or `expected_failed_checks` names no
        check or has no reason.

    Examples
    --------
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> results = check_separator(GRUMaskSeparator((8,), max_iter=1))  # doctest: +SKIP
    >>> {result["status"] for result in results}                       # doctest: +SKIP
    {'passed'}
    """
    for name, value, choices in (
        ("on_skip", on_skip, ("warn", None)),
        ("on_fail", on_fail, ("raise", "warn", None)),
    ):
        if value not in choices:
            known = ", ".join(map(repr, choices))
            raise ValueError(f"{name} must be one of {known}; got {value!r}.")
    expected = _check_expected(expected_failed_checks)
    trial, results = Trial(estimator), []
    for name, check in CHECKS.items():
        result = _run(check, trial, name, expected)
        results.append(result)
        failed, skipped = result["status"] in ("failed", "xfail"), result["status"] == "skipped"
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        if failed and on_fail == "warn":
            warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=2)
        if skipped and on_skip == "warn":
            message = f"{name} is skipped for {type(estimator).__name__}: {result['exception']}"
            warnings.warn(message, SkipTestWarning, stacklevel=2)
    return results


def parametrize_with_checks(
    estimators: Iterable[BaseEstimator],
    *,
    expected_failed_checks: Callable[[BaseEstimator], Mapping[str, str]] | None = None,
) -> Callable[[Callable], Callable]:
    """Return a decorator of pytest that runs a test with every separator and every check.

    The analogue of :func:`sklearn.utils.estimator_checks.parametrize_with_checks`. Select tests by
    ``pytest -k NAME``. In one process, a separator is fitted once for all checks that need it
    fitted.

    Parameters
    ----------
    estimators : list of separator or Pipeline
        As for :func:`check_separator`.
    expected_failed_checks : callable, optional
        Takes an estimator and returns a dict as for :func:`check_separator`. Those tests are
        marked as xfail.

    Returns
    -------
    decorator

    Examples
    --------
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> from sksvs.testing import parametrize_with_checks
    >>> @parametrize_with_checks([GRUMaskSeparator(hidden_layer_sizes=(4,), max_iter=1)])
    ... def test_separators(estimator, check):
    ...     check(estimator)
    """
    import pytest

    tests = []
    for estimator in estimators:
        trial, kind = Trial(estimator), type(estimator).__name__
        reasons = None if expected_failed_checks is None else expected_failed_checks(estimator)
        expected = _check_expected(reasons)
        for name, check in CHECKS.items():
            marks = [pytest.mark.xfail(reason=expected[name])] if name in expected else []
            bound = partial(check, trial=trial)
            tests.append(pytest.param(estimator, bound, marks=marks, id=f"{kind}-{name}"))
    return pytest.mark.parametrize(("estimator", "check"), tests)


def _check_expected(reasons):
    """Return the reasons of expected failures; raise if a name or a reason is none."""
    for name, reason in (reasons or {}).items():
        if name not in CHECKS:
            raise ValueError(
                f"expected_failed_checks names {name!r}, which is no check. They are: "
                f"{', '.join(CHECKS)}."
            )
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"expected_failed_checks must say why {name} fails; got {reason!r}.")
    return reasons or {}


def _run(check, trial, name, expected):
    """Return the result of one check as a dict, with the keys that scikit-learn's have."""
    exception, status = None, "passed"
    try:
        check(trial.estimator, trial=trial)
    except SkipTest as error:
        exception, status = error, "skipped"
    except AssertionError as error:
        exception, status = error, "xfail" if name in expected else "failed"
    return {
        "estimator": trial.estimator,
        "check_name": name,
        "exception": exception,
        "status": status,
        "expected_to_fail": name in expected,
        "expected_to_fail_reason": expected.get(name, "Check is not expected to fail"),
    }
