"""Train, continue training and count the weights: the base of separators with a network."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Literal, Self, overload

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sksvs.augmentation import Augmentation
from sksvs.callback_support import EpochTasks, with_callbacks
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.continued_fit import require_same_network, require_same_solver
from sksvs.prediction.masks import masks_of_blocks, predict_masks
from sksvs.stft import Spectrogram, STFTParams
from sksvs.stft.tracks import common_params, common_source_names, default_source_names
from sksvs.training.fit import check_training, epoch_random_state, train
from sksvs.training.measured_tracks import training_tracks, warn_of_unseen_mask
from sksvs.training.own_loss import OwnLoss
from sksvs.training.validation_tracks import choose_validation_tracks
from sksvs.typing import Truth


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetworkSeparator(BaseMaskSeparator):
    """A separator whose masks come from a network that is trained by gradient descent.

    This class fits and predicts. A subclass adds the parameters of its network, as fields of a
    dataclass, and describes its layers in `_layers`. The parameters of training are the same in
    all of them; where its defaults differ, a subclass gives its own.
    """

    output_activation: str = "sigmoid"
    joint_mask: bool = False
    dropout: float = 0.3
    input_power: float = 1.0
    loss: str | OwnLoss = "segment_error_ratio"
    discriminative: float = 0.0
    error_floor: float = 1e-3
    solver: str = "adam"
    learning_rate: str = "cosine"
    learning_rate_init: float = 0.001
    clip_norm: float | None = 5.0
    ema_momentum: float = 0.0
    batch_size: int = 8
    segment_frames: int = 128
    max_iter: int = 60
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 0.0
    mixed_precision: bool = False
    warm_start: bool = False
    augmentation: Augmentation | None = None
    cache_size: float = 200
    checkpoint_dir: str | PathLike | None = None
    callbacks: list | None = None
    others_weight: float = 1.0
    side_weight: float = 0.0
    random_state: int | np.random.RandomState | None = None
    verbose: bool = False

    _changeable = ("others_weight", "side_weight")
    _fitted_scalars = (
        *BaseMaskSeparator._fitted_scalars,
        "input_power_",
        "loss_curve_",
        "validation_loss_curve_",
        "n_iter_",
        "held_out_",
    )

    @abstractmethod
    def _layers(self, n_freqs, n_sources):
        """Return the layers of the network: a tuple of those in `sksvs.networks.spec`."""

    def _count_masks(self, n_sources):
        """Return the number of masks to predict: of two sources the first one's, unless joint."""
        return 1 if n_sources == 2 and not self.joint_mask else n_sources

    def fit(
        self,
        X: Sequence[Spectrogram],
        y: Truth | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        validation_tracks: npt.ArrayLike | None = None,
    ) -> Self:
        """Train the network to separate the tracks into their sources.

        Parameters
        ----------
        X : list of Spectrogram
            Losses on masks compare with the ideal masks that IRMTarget has chosen, by default
            ratio masks of p = v = 1.
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The sources of every track, the voice first. They are analysed with the mixture's own
            settings and downmixed, as the input of the network is.
        groups : sequence of length n_tracks, optional
            Singers or artists. Early stopping then holds out whole groups. In a pipeline:
            ``pipe.fit(X, y, gru__groups=groups)``; with scikit-learn's metadata routing,
            ``set_fit_request(groups=True)`` on the separator and ``pipe.fit(X, y, groups=groups)``.
        validation_tracks : sequence of bool of length n_tracks, optional
            True for a track that is held out of training for the validation loss.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            If a mixture is not the sum of its sources: they differ by more than -30 dB of its
            energy, constants aside. If IRMTarget has chosen exponents other than 1, but the loss
            does not compare masks.

        Raises
        ------
        ValueError, TypeError
            If `y` is missing or does not match X, a parameter is out of range, or there are too
            few tracks to hold one out.
        ImportError
            If TensorFlow is missing, with the command that installs it.
        """
        tracks = self._check_fit(X, y)
        return self._fit_tracks(X, y, tracks, groups, validation_tracks)

    def _fit_tracks(self, X, y, tracks, groups, validation_tracks):
        """Fit on tracks from `training_tracks` or `measured_tracks`, made of X and y."""
        goes_on = self.warm_start and hasattr(self, "weights_")
        layers, params = self._choose_network(tracks, goes_on)
        rng = check_random_state(self.random_state)
        held_out = np.zeros(len(tracks), bool)
        if self.early_stopping or validation_tracks is not None:
            again = goes_on and self.held_out_.any() and len(self.held_out_) == len(held_out)
            if again and validation_tracks is None:
                validation_tracks = self.held_out_
            held_out = choose_validation_tracks(
                len(tracks), self.validation_fraction, rng, groups, validation_tracks
            )
        start = self.weights_ if goes_on else None
        return self._train(
            *(X, y, layers, params, tracks, held_out, rng, start),
            max_iter=self.max_iter,
            schedule=self.learning_rate,
            checkpoint_dir=self.checkpoint_dir,
        )

    def partial_fit(self, X: Sequence[Spectrogram], y: Truth | None = None) -> Self:
        """Train for one more epoch.

        The optimiser keeps its state and its learning rate, wherever the schedule of the last fit
        has left it; but after a "cosine", which ends at zero, the rate is `learning_rate_init` / 10
        at least. Input statistics stay those of the first fit. No track is held out. Before any
        fit, this is a fit of one epoch at a constant rate.

        The optimiser is new after an early stop, since its moments belong to other weights than
        the best, and in a separator from `sksvs.load`, there at `learning_rate_init`. A stock
        Pipeline has no `partial_fit`: ``pipe[-1].partial_fit(pipe[:-1].fit_transform(X), y)``.

        Parameters
        ----------
        X : list of Spectrogram
            The same tracks as before, or others.
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The sources of every track, the voice first.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As of `fit`, or if the network, the analysis or the `solver` differs from that of the
            last fit.
        """
        goes_on, start = hasattr(self, "weights_"), None
        tracks = self._check_fit(X, y)
        layers, params = self._choose_network(tracks, goes_on)
        if goes_on:
            state = getattr(self, "training_state_", {})
            require_same_solver(self, state.get("solver", self.solver))
            start = self.weights_
            if state:
                start = {"weights": start, **{k: state[k] for k in ("optimizer", "dropout")}}
        rng = epoch_random_state(self.random_state, self.n_iter_ if goes_on else 0)
        given = X, y, layers, params, tracks, np.zeros(len(tracks), bool), rng, start
        return self._train(*given, max_iter=1, schedule="constant")

    @overload
    def count_params(self, by_layer: Literal[False] = False, n_freqs: int | None = None) -> int: ...
    @overload
    def count_params(
        self, by_layer: Literal[True], n_freqs: int | None = None
    ) -> dict[str, int]: ...
    def count_params(
        self, by_layer: bool = False, n_freqs: int | None = None
    ) -> int | dict[str, int]:
        """Return the number of trained weights.

        Parameters
        ----------
        by_layer : bool, default=False
            Whether to return a dict by layer name instead of the sum.
        n_freqs : int, optional
            Number of frequency bins, to count before `fit`, for two sources.

        Returns
        -------
        int or dict of str to int

        Examples
        --------
        >>> from sksvs.estimators import GRUMaskSeparator
        >>> GRUMaskSeparator(hidden_layer_sizes=(16,)).count_params(n_freqs=513)
        67809
        """
        if n_freqs is None:
            check_is_fitted(self, "n_sources_")
            layers = self.layers_
        else:
            layers = self._layers(n_freqs, getattr(self, "n_sources_", 2))
        counts = {layer.name: layer.n_params for layer in layers}
        return counts if by_layer else sum(counts.values())

    def count_macs(self, params: STFTParams | None = None) -> float:
        """Return the multiply-accumulate operations (MACs) of prediction for a second of audio.

        Those of the network's products count, a frame at a time: no activations, no STFT, and no
        context of windows.

        Parameters
        ----------
        params : STFTParams, optional
            With a sample rate, to count before `fit`, for two sources.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the sample rate is not known.

        Examples
        --------
        >>> from sksvs.estimators import GRUMaskSeparator
        >>> from sksvs.stft import STFTParams
        >>> GRUMaskSeparator().count_macs(STFTParams(1024, 512, sample_rate=16000)) / 1e6
        28.704
        """
        if params is None:
            check_is_fitted(self, "n_sources_")
            params, layers = self.stft_params_, self.layers_
        else:
            layers = self._layers(params.n_freqs, getattr(self, "n_sources_", 2))
        if params.sample_rate is None:
            raise ValueError(
                "The MACs of a second need a sample rate, and that of the training data is not "
                "known. Give count_macs(STFTParams(..., sample_rate=...))."
            )
        return params.sample_rate / params.hop_length * sum(layer.n_macs for layer in layers)

    def _mask_blocks(self, spectrogram):
        return predict_masks(self, spectrogram)

    def _masks_in_blocks(self, spectrogram, blocks, transpositions):
        level = spectrogram.waveform.level
        return masks_of_blocks(self, spectrogram.params, level, blocks, transpositions)

    def _fitted_shapes(self):
        n_freqs = self.stft_params_.n_freqs
        shapes = {"input_mean_": (n_freqs,), "input_scale_": (n_freqs,)}
        for layer in self._layers(n_freqs, self.n_sources_):
            shapes |= {f"weights_/{name}": s for name, s in layer.parameter_shapes.items()}
        return shapes

    def _set_scalars(self, learnt):
        super()._set_scalars(learnt)
        self.layers_ = self._layers(self.stft_params_.n_freqs, self.n_sources_)

    def _check_fit(self, X, y):
        """Check the tracks, their sources and the parameters; return the tracks with sources."""
        tracks = training_tracks(X, y, self)
        self._check_parameters()
        check_training(self)
        warn_of_unseen_mask(tracks, [self.loss])
        return tracks

    def _choose_network(self, tracks, goes_on):
        """Return the layers of a network for the tracks, and its STFT settings.

        Its sample rate is the lowest of the tracks, or where a fit continues that of before.
        """
        params = common_params(tracks)
        if goes_on and params.is_at_another_rate(self.stft_params_):
            params = self.stft_params_
        layers = self._layers(params.n_freqs, tracks[0].target.n_sources)
        if goes_on:
            require_same_network(self, layers, params)
        return layers, params

    @with_callbacks
    def _train(self, X, y, layers, params, tracks, held_out, rng, start, *, max_iter, **how):
        """Train and set all fitted attributes; the epochs are subtasks for callbacks.

        Unknown names of sources and an unknown sample rate replace none.
        """
        task = self._init_callback_context(max_subtasks=max_iter)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        names = common_source_names(y) or (start and getattr(self, "source_names_", None))
        others = {"source_names_": names or default_source_names(tracks[0].target.n_sources)}
        if start is None or params.sample_rate is not None:
            others["stft_params_"] = params
        trained_on = ([x for x, out in zip(items, held_out) if not out] for items in (X, y))
        epochs = EpochTasks(task, self, *trained_on, others)
        given = self, layers, params, tracks, held_out, rng, start, epochs
        vars(self).update(train(*given, max_iter=max_iter, **how) | others)
        task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self
