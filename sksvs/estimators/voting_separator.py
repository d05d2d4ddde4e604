"""Average the masks of several separators."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sksvs.callback_support import share_callbacks, with_callbacks
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.named_members import NamedMembers
from sksvs.networks.features import weigh_masks
from sksvs.prediction.masks import read_blocks
from sksvs.prediction.shared_blocks import share
from sksvs.stft import Spectrogram, STFTParams
from sksvs.training.fit import check_training
from sksvs.training.measured_tracks import measured_tracks, training_tracks, warn_of_unseen_mask
from sksvs.typing import Truth


class VotingSeparator(NamedMembers):
    """Separate with the mean of the masks of several separators.

    The analogue of sklearn's VotingRegressor: networks that differ in their kind, loss,
    augmentation or `random_state` alone make different errors, and the mean of their masks has a
    smaller one. The masks of a separator sum to one over the sources, and so do the means.

    `fit` fits clones: `warm_start` of a network has no effect.

    Parameters
    ----------
    estimators : list of (str, separator)
        Up to 16 names and separators with masks that sum to one, networks or others, which are
        cloned and not changed. Give each network a `random_state` of its own: two with the same
        parameters become the same network. A name has no "__" and no "/" in it.
    transpositions : tuple of float, default=(1.0,)
        Test-time pitch shifts: factors by which all frequencies are multiplied, up to 8 of them
        from 0.5 to 2. Every network predicts masks for each, which are shifted back and averaged:
        ``(0.92, 1.0, 1.09)`` adds a semitone and a half down and up. A voice unlike the training
        data may be missed at one pitch and found at another. Prediction takes as many times longer.
        May be changed after `fit`.
    others_weight : float, default=1.0
        As in :class:`GRUMaskSeparator`, applied to the mean of the masks; that of a network applies
        to its own masks before. May be changed after `fit`.
    side_weight : float, default=0.0
        As in :class:`GRUMaskSeparator`, applied to the mean of the masks; those of the networks do
        not count.
    weights : sequence of float or None, default=None
        Of the separators in the mean, 0 or more each. None weighs them alike. May be changed after
        `fit`.
    n_jobs : int or None, default=None
        Number of separators to fit at a time, each in a process with its share of the cores; -1 for
        one a core. None for one after the other, as always in a process that is itself a worker,
        such as in a search with `n_jobs`.

    Attributes
    ----------
    estimators_ : list of separators
        Fitted, in the order of `estimators`.
    named_estimators_ : dict of str to separator
        The same by name.
    n_sources_ : int
        Sources of a track.
    source_names_ : tuple of str
        Names of the sources: those of the first item of `y` that has `source_names`, else "vocals"
        and "accompaniment", or of more than two "vocals", "source_1", "source_2", …
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
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> gru = [GRUMaskSeparator((8,), max_iter=1, random_state=seed) for seed in (0, 1)]
    >>> voting = VotingSeparator([("first", gru[0]), ("second", gru[1])])
    >>> separator = make_pipeline(STFTTransformer(), voting).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    _changeable = ("others_weight", "side_weight", "transpositions")

    def __init__(
        self,
        estimators: list[tuple[str, BaseMaskSeparator]],
        transpositions: tuple[float, ...] = (1.0,),
        others_weight: float = 1.0,
        side_weight: float = 0.0,
        weights: Sequence[float] | None = None,
        n_jobs: int | None = None,
    ):
        self.estimators = estimators
        self.transpositions = transpositions
        self.others_weight = others_weight
        self.side_weight = side_weight
        self.weights = weights
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(
        self,
        X: Sequence[Spectrogram],
        y: Truth | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        validation_tracks: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit every separator on the same tracks.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The sources of every track, the voice first.
        groups, validation_tracks : optional
            As in :meth:`GRUMaskSeparator.fit`, for every network. With scikit-learn's metadata
            routing, what is requested here counts, not what the networks request.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            If a mixture is not the sum of its sources. If IRMTarget has chosen exponents other
            than 1, but no network has a loss that compares masks.

        Raises
        ------
        ValueError, TypeError
            If `estimators` is no list of differently named networks, a parameter of one is out of
            range, `y` is missing or does not match X, or a network refuses the tracks.
        """
        self._check_parameters()
        names, members = zip(*self.estimators)
        networks = [member for member in members if hasattr(member, "loss")]
        for network in networks:
            check_training(network)
        tracks = training_tracks(X, y, self)
        if networks:
            warn_of_unseen_mask(tracks, [network.loss for network in networks])
        task = self._init_callback_context(max_subtasks=len(names), sequential_subtasks=False)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        subtasks = [task.subcontext(task_name=f"fit-{n}", task_id=i) for i, n in enumerate(names)]
        tracks = measured_tracks(tracks)  # once, not by every network
        fitted = Parallel(n_jobs=self._n_processes())(
            delayed(_fit)(self, subtask, clone(member), X, y, tracks, groups, validation_tracks)
            for subtask, member in zip(subtasks, members)
        )
        for member, of_fit in zip(members, fitted):
            share_callbacks(member, of_fit)
        self._set_members(names, fitted)
        task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    def partial_fit(self, X: Sequence[Spectrogram], y: Truth | None = None) -> Self:
        """Train every separator for one more epoch, see :meth:`GRUMaskSeparator.partial_fit`.

        Before any fit, clones of `estimators` are fitted for one epoch.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As of `fit`; or if a separator has no `partial_fit`, naming it.
        """
        self._check_parameters()
        for name, member in self.estimators:
            if not hasattr(member, "partial_fit"):
                raise TypeError(
                    f"VotingSeparator: estimator {name!r} is a {type(member).__name__}, which has "
                    "no partial_fit. Fit anew."
                )
        names = [name for name, _ in self.estimators]
        members = getattr(self, "estimators_", None) or [clone(x) for _, x in self.estimators]
        trained = Parallel(n_jobs=self._n_processes())(
            delayed(_partial_fit)(member, X, y) for member in members
        )
        self._set_members(names, trained)
        return self

    def disagreement(self, X: Sequence[Spectrogram]) -> list[np.ndarray]:
        """Measure by frame how far the separators disagree on the voice.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_frames,)
            The standard deviation of the separators' masks of the first source, the mean over
            frequencies weighted by the magnitude of the downmix. From 0 (all masks are equal, or
            the frame is silent) to 0.5.
        """
        return [self._spread(x.to_mono()) for x in self._check_predict(X)]

    def count_params(
        self, by_layer: bool = False, n_freqs: int | None = None
    ) -> int | dict[str, int]:
        """Return the number of trained weights of all networks together; others have none.

        Parameters
        ----------
        by_layer : bool, default=False
            Whether to return a dict by the name of the network and of its layer,
            "first/gru_0", instead of the sum.
        n_freqs : int, optional
            Frequency bins, to count before `fit` from the parameters, for two sources.

        Returns
        -------
        int or dict of str to int
        """
        if n_freqs is None:
            check_is_fitted(self, "n_sources_")
        members = self.named_estimators_ if n_freqs is None else dict(self.estimators)
        counts = {
            f"{name}/{layer}": count
            for name, member in members.items()
            if hasattr(member, "count_params")
            for layer, count in member.count_params(by_layer=True, n_freqs=n_freqs).items()
        }
        return counts if by_layer else sum(counts.values())

    def count_macs(self, params: STFTParams | None = None) -> float:
        """Return the MACs of all networks for a second of audio, with test-time pitch shifts.

        Parameters
        ----------
        params : STFTParams, optional
            As in :meth:`GRUMaskSeparator.count_macs`.

        Returns
        -------
        float
        """
        if params is None:
            check_is_fitted(self, "n_sources_")
        members = dict(self.estimators).values() if params is not None else self.estimators_
        networks = [member for member in members if hasattr(member, "count_macs")]
        return len(self.transpositions) * sum(network.count_macs(params) for network in networks)

    def _n_processes(self):
        backend, _ = get_active_backend()
        if getattr(backend, "uses_threads", False):  # this process is a worker
            return 1
        return min(effective_n_jobs(self.n_jobs), len(self.estimators))

    def _set_members(self, names, fitted):
        """Set all fitted attributes, given the names of the networks and the fitted networks."""
        self.estimators_ = list(fitted)
        self.named_estimators_ = dict(zip(names, fitted))
        self.n_sources_ = fitted[0].n_sources_
        self.source_names_ = fitted[0].source_names_
        self.stft_params_ = fitted[0].stft_params_

    def _mask_blocks(self, spectrogram):
        weights = np.ones(len(self.estimators_)) if self.weights is None else self.weights
        shares = np.divide(weights, np.sum(weights)).astype(np.float32)
        for of_block in self._blocks_of_members(spectrogram):
            block, total = of_block[0]
            total *= shares[0]
            for (_, masks), weight in zip(of_block[1:], shares[1:]):
                total += weight * masks
            yield block, weigh_masks(total, self.others_weight)

    def _blocks_of_members(self, spectrogram):
        """Return an iterator of tuples: the block and the masks of every separator."""
        readers = share(read_blocks(spectrogram), len(self.estimators_))
        of_members = [
            member._masks_in_blocks(spectrogram, blocks, self.transpositions)
            for member, blocks in zip(self.estimators_, readers)
        ]
        return zip(*of_members)

    def _spread(self, spectrogram):
        spread = []
        for of_block in self._blocks_of_members(spectrogram):
            magnitudes = np.abs(of_block[0][0].frames)
            deviation = np.std([masks[0] for _, masks in of_block], axis=0) * magnitudes
            total = np.maximum(magnitudes.sum(axis=0), np.finfo(np.float32).tiny)
            spread.append(deviation.sum(axis=0) / total)
        return np.concatenate(spread)

    def _check_predict(self, X):
        self._check_weights(len(getattr(self, "estimators_", self.estimators)))
        return super()._check_predict(X)


def _fit(caller, task, separator, X, y, *others):
    """Fit a separator of a VotingSeparator, as a subtask of its fit."""
    with task.propagate_callback_context(separator):
        task.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        if hasattr(separator, "_fit_tracks"):  # a network, which takes measured tracks
            separator._fit_tracks(X, y, *others)
        else:
            separator.fit(X, y)
        task.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return separator


def _partial_fit(separator, X, y):
    return separator.partial_fit(X, y)
