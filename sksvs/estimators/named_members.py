"""Hold the named separators of a vote: reach their parameters by name, and check them."""

from reprlib import repr as short_repr
from typing import Any, Self

from sksvs.estimators.base import BaseMaskSeparator
from sksvs.parameters import check_range

MAX_MEMBERS = 16
MAX_NAME_LENGTH = 100


class NamedMembers(BaseMaskSeparator):
    """A separator whose parameter `estimators` is a list of (name, separator).

    Its parameter `weights` has a number for each of them, or is None.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of this separator and of its networks.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the networks, by name, and their parameters, as ``name__parameter``.

        Returns
        -------
        dict
        """
        parameters = super().get_params(deep=False)
        for name, network in _pairs(self.estimators) if deep else ():
            of_network = network.get_params(deep=True).items()
            parameters |= {name: network, **{f"{name}__{key}": value for key, value in of_network}}
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of networks take effect in the next fit.

        Parameters
        ----------
        **params : dict
            Those of a network as ``name__parameter``; ``first=GRUMaskSeparator(...)`` replaces
            the network of that name.

        Returns
        -------
        self
        """
        if "estimators" in params:
            self.estimators = params.pop("estimators")
        if any(name in params for name, _ in _pairs(self.estimators)):
            pairs = self.estimators
            self.estimators = [(name, params.pop(name, network)) for name, network in pairs]
        return super().set_params(**params)

    def _check_parameters(self):
        super()._check_parameters()
        members = self.estimators
        if not 1 <= len(_pairs(members)) <= MAX_MEMBERS:
            raise ValueError(
                f"VotingSeparator: estimators must be a list of 1 to {MAX_MEMBERS} (name, "
                "separator), the separators each with masks that sum to one, such as a "
                f"GRUMaskSeparator, and no vote of others; got {short_repr(members)}."
            )
        self._check_names([name for name, _ in members])
        self._check_weights(len(members))
        for name, network in members:
            try:
                network._check_parameters()
            except ValueError as error:
                raise ValueError(f"VotingSeparator: estimator {name!r}: {error}") from error

    def _check_weights(self, n_members):
        check_range(self, "weights")
        if self.weights is not None and (len(self.weights) != n_members or not any(self.weights)):
            raise ValueError(
                f"VotingSeparator: weights must be {n_members} numbers, one for each estimator, "
                f"not all 0; got {short_repr(self.weights)}."
            )

    def _check_names(self, names):
        own = super().get_params(deep=False)
        for name in names:
            usable = isinstance(name, str) and 1 <= len(name) <= MAX_NAME_LENGTH
            if not usable or "__" in name or "/" in name or name in own or names.count(name) > 1:
                raise ValueError(
                    "VotingSeparator: every name in estimators must be another text of 1 to "
                    f"{MAX_NAME_LENGTH} characters, without '__' and '/', and no parameter; got "
                    f"{short_repr(name)}."
                )


def _pairs(estimators):
    """Return the estimators if they are a list of (name, network), else an empty list."""
    if not isinstance(estimators, list):
        return []
    for item in estimators:
        pair = isinstance(item, (list, tuple)) and len(item) == 2
        votes = pair and isinstance(item[1], BaseMaskSeparator) and item[1]._masks_sum_to_one
        if not votes or isinstance(item[1], NamedMembers):
            return []
    return estimators
