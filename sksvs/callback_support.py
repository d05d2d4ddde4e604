"""Support scikit-learn's callbacks, which come with version 1.9; with older ones, do without."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import TypeVar

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand in for scikit-learn's: estimators have no `set_callbacks`."""

        def _init_callback_context(self, **task):
            return NoTask()

    def with_callbacks(method):
        """Return the method as it is."""
        return method


Fit = TypeVar("Fit", bound=Callable)


class NoTask:
    """Stand in for scikit-learn's CallbackContext: there are no callbacks to call."""

    def subcontext(self, **task):
        """Return itself."""
        return self

    def call_on_fit_task_begin(self, **facts):
        """Return itself."""
        return self

    def call_on_fit_task_end(self, **facts):
        """Return that no callback asks to stop."""
        return False

    def propagate_callback_context(self, sub_estimator):
        """Return a context that does nothing."""
        return nullcontext()


def as_one_task(fit: Fit) -> Fit:
    """Make a `fit` or `fit_transform` without steps one task of scikit-learn's callbacks."""

    @with_callbacks
    @wraps(fit)
    def fit_as_task(self, X, y=None, **metadata):
        task = self._init_callback_context()
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        result = fit(self, X, y, **metadata)
        task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return result

    return fit_as_task


def share_callbacks(estimator, copy):
    """Give a copy that comes from another process the same scikit-learn callbacks again."""
    if hasattr(estimator, "_skl_callbacks"):
        copy.set_callbacks(*estimator._skl_callbacks)


class EpochTasks:
    """The epochs of a fit, each a subtask for scikit-learn's callbacks.

    Parameters
    ----------
    task : CallbackContext
        Of the fit.
    estimator : BaseNetworkSeparator
    X, y : list
        What it is trained on.
    others : dict
        The fitted attributes, by name, that training does not know.
    """

    def __init__(self, task, estimator, X, y, others):
        self._task, self._others = task, others
        self._facts = {"estimator": estimator, "X": X, "y": y}

    def begin(self):
        """Begin an epoch."""
        self._epoch = self._task.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._facts)

    def end(self, fitted=None):
        """End the epoch; return whether a callback asks to stop the fit.

        Parameters
        ----------
        fitted : callable, optional
            Returns the fitted attributes after the epoch. It is called if a callback asks for a
            fitted separator. Without it, none is to be had: of an epoch before a resumed fit.
        """
        attributes = None if fitted is None else lambda: fitted() | self._others
        return self._epoch.call_on_fit_task_end(**self._facts, reconstruction_attributes=attributes)
