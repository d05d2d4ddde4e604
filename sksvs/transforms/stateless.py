"""What transformers without fitted state share."""

from collections.abc import Sequence
from typing import Any, Self

from sklearn.base import BaseEstimator, TransformerMixin

from sksvs.callback_support import CallbackSupportMixin
from sksvs.documentation import DocumentationLink
from sksvs.parameters import check_parameters
from sksvs.typing import Truth


class StatelessTransformer(
    DocumentationLink, CallbackSupportMixin, TransformerMixin, BaseEstimator
):
    """A transformer of lists of tracks that can transform without a `fit`, which only checks.

    A subclass overrides `fit`, or `fit_transform`, which this `fit` calls, as one task.
    """

    def fit(self, X: Sequence[Any], y: Truth | None = None) -> Self:
        """Check the parameters and the tracks; nothing is fitted.

        Parameters
        ----------
        X : list of tracks
            As for `transform`.
        y : list of array or Sources, optional
            As for `fit_transform`.

        Returns
        -------
        self
        """
        self.fit_transform(X, y)
        return self

    def _check_parameters(self):
        check_parameters(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags
