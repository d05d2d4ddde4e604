"""Average the masks of several networks."""

from collections import deque
from itertools import islice
from reprlib import repr as short_repr

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sksvs.callback_support import share_callbacks, with_callbacks
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.features import weigh_masks
from sksvs.parameters import check_range
from sksvs.prediction.masks import masks_of_blocks, read_blocks
from sksvs.training.fit import check_training
from sksvs.training.measured_tracks import (
    measured_tracks,
    training_tracks,
    warn_of_unseen_mask,
)

MAX_MEMBERS = 16
MAX_NAME_LENGTH = 100


class VotingSeparator(BaseMaskSeparator):
    """Separate with the mean of the masks of several networks.

    The analogue of sklearn's VotingRegressor: networks that differ in their kind, loss,
    augmentation or `random_state` alone make different errors, and the mean of their masks has a
    smaller one. The masks of a network sum to one over the sources, and so do the means.

    `fit` fits clones: `warm_start` of a network has no effect, and there is no `partial_fit`.

    Parameters
    ----------
    estimators : list of (str, GRUMaskSeparator, CRNSeparator or DRNNSeparator)
        Up to 16 names and networks, which are cloned and not changed. Give each a `random_state`
        of its own: two with the same parameters become the same network. A name has no "__" and
        no "/" in it.
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
    n_jobs : int or None, default=None
        Number of networks to fit at a time, each in a process with its share of the cores; -1 for
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

    def __init__(
        self, estimators, transpositions=(1.0,), others_weight=1.0, side_weight=0.0, n_jobs=None
    ):
        self.estimators = estimators
        self.transpositions = transpositions
        self.others_weight = others_weight
        self.side_weight = side_weight
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X, y=None, *, groups=None, validation_tracks=None):
        """Fit every network on the same tracks.

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
        names, networks = zip(*self.estimators)
        for network in networks:
            check_training(network)
        tracks = training_tracks(X, y, self)
        warn_of_unseen_mask(tracks, [network.loss for network in networks])
        task = self._init_callback_context(max_subtasks=len(names), sequential_subtasks=False)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        subtasks = [task.subcontext(task_name=f"fit-{n}", task_id=i) for i, n in enumerate(names)]
        tracks = measured_tracks(tracks)  # once, not by every network
        fitted = Parallel(n_jobs=self._n_processes())(
            delayed(_fit)(self, subtask, clone(network), X, y, tracks, groups, validation_tracks)
            for subtask, network in zip(subtasks, networks)
        )
        for network, member in zip(networks, fitted):
            share_callbacks(network, member)
        self._set_members(names, fitted)
        task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    def count_params(self, by_layer=False, n_freqs=None):
        """Return the number of trained weights of all networks together.

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
            for layer, count in member.count_params(by_layer=True, n_freqs=n_freqs).items()
        }
        return counts if by_layer else sum(counts.values())

    def count_macs(self, params=None):
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
        return len(self.transpositions) * sum(member.count_macs(params) for member in members)

    def get_params(self, deep=True):
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

    def set_params(self, **params):
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
        params, level = spectrogram.params, spectrogram.waveform.level
        readers = _shared(read_blocks(spectrogram), len(self.estimators_))
        of_members = [
            masks_of_blocks(member, params, level, blocks, self.transpositions)
            for member, blocks in zip(self.estimators_, readers)
        ]
        for (block, total), *others in zip(*of_members):
            for _, masks in others:
                total += masks
            total /= len(self.estimators_)
            yield block, weigh_masks(total, self.others_weight)

    def _check_predict(self, X):
        # These may be changed after the fit.
        check_range(self, "others_weight", "side_weight", "transpositions")
        return super()._check_predict(X)

    def _check_parameters(self):
        super()._check_parameters()
        members = self.estimators
        if not 1 <= len(_pairs(members)) <= MAX_MEMBERS:
            raise ValueError(
                f"VotingSeparator: estimators must be a list of 1 to {MAX_MEMBERS} (name, "
                "separator), the separators each a GRUMaskSeparator, CRNSeparator or "
                f"DRNNSeparator; got {short_repr(members)}."
            )
        self._check_names([name for name, _ in members])
        for name, network in members:
            try:
                network._check_parameters()
            except ValueError as error:
                raise ValueError(f"VotingSeparator: estimator {name!r}: {error}") from error

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
        if not pair or not isinstance(item[1], BaseNetworkSeparator):
            return []
    return estimators


def _fit(caller, task, separator, X, y, *others):
    """Fit a network of a VotingSeparator, as a subtask of its fit."""
    with task.propagate_callback_context(separator):
        task.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        separator._fit_tracks(X, y, *others)
        task.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return separator


def _shared(items, count):
    """Return `count` generators of the same items; an item is dropped when all have yielded it.

    `itertools.tee` would keep up to 57 items more, which here are megabytes each.
    """
    queues = [deque() for _ in range(count)]

    def read(queue):
        while True:
            if not queue:
                new = list(islice(items, 1))
                if not new:
                    return
                for each in queues:
                    each.extend(new)
                del new
            yield queue.popleft()

    return [read(queue) for queue in queues]
