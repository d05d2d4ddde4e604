"""Average the masks of several networks."""

from numbers import Integral

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils.metaestimators import _BaseComposition

from sksvs.estimators._base import BaseMaskSeparator
from sksvs.estimators._features import weigh_masks
from sksvs.estimators._network_separator import BaseNetworkSeparator
from sksvs.estimators._parameters import check_range


class VotingSeparator(BaseMaskSeparator, _BaseComposition):
    """Separate with the mean of the masks of several networks.

    What sklearn's VotingRegressor is to regressors: networks that differ in their loss, their
    augmentation or no more than their `random_state` err in different places, and the mean of
    their masks errs less. The masks of a network sum to one over the sources, and so do the means.

    Parameters
    ----------
    estimators : list of (str, GRUMaskSeparator or DRNNSeparator)
        Names and networks, which are cloned and not changed. All see the same spectrograms. Give
        each a `random_state` of its own: two that are alike in all parameters learn the same.
    others_weight : float, default=1.0
        As in :class:`GRUMaskSeparator`, of the mean of the masks. It may be changed after `fit`;
        from 1e-6 to 1e6. The members' own are those that they were fitted with.
    n_jobs : int or None, default=None
        Networks that are fitted at a time, each in a process with its share of the cores; -1 for
        as many as there are cores. None for one after the other.

    Attributes
    ----------
    estimators_ : list of separators
        Fitted, in the order of `estimators`.
    named_estimators_ : dict of str to separator
        The same by name.
    n_sources_ : int
        Sources of a track.
    stft_params_ : STFTParams
        Analysis that the networks were fitted with.

    References
    ----------
    S. Uhlich et al., "Improving music source separation based on deep neural networks through
    data augmentation and network blending", ICASSP 2017, section 3.3.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> from sksvs.transforms import IRMTarget, STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> gru = [GRUMaskSeparator((8,), max_iter=1, random_state=seed) for seed in (0, 1)]
    >>> voting = VotingSeparator([("first", gru[0]), ("second", gru[1])])
    >>> separator = make_pipeline(STFTTransformer(), IRMTarget(), voting).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    def __init__(self, estimators, others_weight=1.0, n_jobs=None):
        self.estimators = estimators
        self.others_weight = others_weight
        self.n_jobs = n_jobs

    def fit(self, X, y=None, *, groups=None, validation_tracks=None):
        """Fit every network on the targets attached to X.

        Parameters
        ----------
        X : list of Spectrogram
            Each with a target, as IRMTarget's `fit_transform` gives it in a pipeline.
        y : ignored
            The sources have come with X.
        groups, validation_tracks : optional
            As in :meth:`GRUMaskSeparator.fit`, for every network.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If `estimators` is no list of differently named networks, or a network refuses X.
        """
        self._check_parameters()
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(clone(estimator), X, groups, validation_tracks)
            for _, estimator in self.estimators
        )
        self._set_members(fitted)
        return self

    def count_params(self):
        """Return how many weights the fitted networks have together."""
        return sum(member.count_params() for member in self.estimators_)

    def get_params(self, deep=True):
        """Return the parameters by name; where `deep`, the networks' too, by ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters, those of a network by ``name__parameter``; they count from the next fit.

        Parameters
        ----------
        **params : dict
            A network as a whole is replaced by its name, ``first=GRUMaskSeparator(...)``.

        Returns
        -------
        self
        """
        self._set_params("estimators", **params)
        return self

    @property
    def named_estimators_(self):
        """The fitted networks by name."""
        return {name: member for (name, _), member in zip(self.estimators, self.estimators_)}

    def _set_members(self, fitted):
        """Set what a fit sets, given the fitted networks."""
        self.estimators_ = fitted
        self.n_sources_ = fitted[0].n_sources_
        self.stft_params_ = fitted[0].stft_params_

    def _mask_blocks(self, spectrogram):
        first, *others = (member._mask_blocks(spectrogram) for member in self.estimators_)
        others = [_Cutter(masks for _, masks in blocks) for blocks in others]
        for block, masks in first:
            total = masks + sum(cutter.take(masks.shape[-1]) for cutter in others)
            total /= len(self.estimators_)
            yield block, weigh_masks(total, self.others_weight)

    def _check_predict(self, X):
        check_range(self, "others_weight")
        return super()._check_predict(X)

    def _check_parameters(self):
        check_range(self, "others_weight")
        members = self.estimators
        valid = isinstance(members, (list, tuple)) and len(members) > 0
        for item in members if valid else ():
            pair = isinstance(item, (list, tuple)) and len(item) == 2
            valid = valid and pair and isinstance(item[0], str)
            valid = valid and isinstance(item[1], BaseNetworkSeparator)
        if not valid:
            raise ValueError(
                "VotingSeparator: estimators must be a list of (name, separator), the separators "
                f"a GRUMaskSeparator or DRNNSeparator each; got {members!r}."
            )
        self._validate_names([name for name, _ in members])
        if self.n_jobs is not None and (not isinstance(self.n_jobs, Integral) or self.n_jobs == 0):
            raise ValueError(
                f"VotingSeparator: n_jobs must be an integer but 0, or None; got {self.n_jobs!r}."
            )


def _fit(separator, X, groups, validation_tracks):
    return separator.fit(X, groups=groups, validation_tracks=validation_tracks)


class _Cutter:
    """Give masks that come in blocks of some length in pieces of another."""

    def __init__(self, blocks):
        self._blocks = iter(blocks)
        self._left = None

    def take(self, n_frames):
        """Return the next masks: (n_sources, n_freqs, n_frames)."""
        pieces = [] if self._left is None else [self._left]
        while sum(piece.shape[-1] for piece in pieces) < n_frames:
            pieces.append(next(self._blocks))
        masks = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)
        self._left = masks[..., n_frames:]
        return masks[..., :n_frames]
