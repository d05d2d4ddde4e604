"""What separators with a network share: fitting, going on, counting weights."""

from abc import abstractmethod

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sksvs.estimators.base import BaseMaskSeparator
from sksvs.parameters import check_range
from sksvs.prediction.masks import predict_masks
from sksvs.stft.tracks import common_params, common_source_names, default_source_names
from sksvs.training.fit import epoch_random_state, learn
from sksvs.training.measured_tracks import training_tracks, warn_of_unseen_mask
from sksvs.training.validation_tracks import choose_validation_tracks


class BaseNetworkSeparator(BaseMaskSeparator):
    """A separator whose masks come from a network that learns by gradient descent.

    This class fits and predicts; a subclass has the parameters of its network, and says what its
    layers are in `_layers`. The parameters of training have the same names in all of them.
    """

    _learnt_facts = (
        *BaseMaskSeparator._learnt_facts,
        "input_power_",
        "loss_curve_",
        "validation_loss_curve_",
        "n_iter_",
        "held_out_",
    )

    @abstractmethod
    def _layers(self, n_freqs, n_sources):
        """Return the layers of the network: a tuple of Layer, ConvLayer or PathLayer."""

    def fit(self, X, y=None, *, groups=None, validation_tracks=None):
        """Learn to separate the tracks into their sources.

        Parameters
        ----------
        X : list of Spectrogram
            A loss that compares masks compares with those that IRMTarget has chosen, or else
            with the ratio masks of p = v = 1.
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The sources of every track, the voice first. They are analysed with the mixture's own
            settings and averaged over their channels, as the input of the network is.
        groups : sequence of length n_tracks, optional
            Singers or artists. Early stopping then holds out whole groups. In a pipeline:
            ``pipe.fit(X, y, gru__groups=groups)``; with scikit-learn's metadata routing,
            ``set_fit_request(groups=True)`` on the separator and ``pipe.fit(X, y, groups=groups)``.
        validation_tracks : sequence of bool of length n_tracks, optional
            True for a track that is not learnt from but held out for the validation loss.

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
        """
        tracks = self._check_fit(X, y)
        return self._fit_tracks(tracks, common_source_names(y), groups, validation_tracks)

    def _fit_tracks(self, tracks, source_names, groups, validation_tracks):
        """Do what `fit` does, with tracks from `training_tracks` or `measured_tracks`.

        `source_names` is what :func:`common_source_names` finds.
        """
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
        epochs, folder = self.max_iter, self.checkpoint_dir
        learn(self, layers, params, tracks, held_out, rng, start, epochs, folder)
        self._set_source_names(source_names, goes_on)
        self._set_params_of_analysis(params, goes_on)
        return self

    def partial_fit(self, X, y=None):
        """Learn for one epoch, going on from where the last one ended.

        The optimiser's state is kept, its learning rate among it: where the schedule of the last
        fit has left it, there it stays. What the input is standardised with stays as it was in
        the first fit. All tracks are learnt from: none is held out. Before any fit it is a fit of
        one epoch.

        The optimiser is a new one, which has yet to gather moments, after an early stop, where
        those of the last epoch do not belong to the best weights, and in a separator from
        `sksvs.load`, there at `learning_rate_init`. A stock Pipeline has no `partial_fit`:
        ``pipe[-1].partial_fit(pipe[:-1].fit_transform(X), y)``.

        Parameters
        ----------
        X : list of Spectrogram
            Not necessarily the tracks of before.
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The sources of every track, the voice first.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As of `fit`, or if the network, the analysis or the `solver` is another one than that
            of the last fit.
        """
        goes_on, start = hasattr(self, "weights_"), None
        tracks, source_names = self._check_fit(X, y), common_source_names(y)
        layers, params = self._choose_network(tracks, goes_on)
        if goes_on:
            state = getattr(self, "training_state_", {})
            self._require_same_solver(state.get("solver", self.solver))
            start = self.weights_
            if state:
                start = {"weights": start, "optimizer": state["optimizer"]}
                start["dropout"] = state["dropout"]
        rng = epoch_random_state(self.random_state, self.n_iter_ if goes_on else 0)
        none = np.zeros(len(tracks), bool)
        learn(self, layers, params, tracks, none, rng, start, 1, None)
        self._set_source_names(source_names, goes_on)
        self._set_params_of_analysis(params, goes_on)
        return self

    def count_params(self, by_layer=False, n_freqs=None):
        """Return how many weights of the network are trained.

        Parameters
        ----------
        by_layer : bool, default=False
            Whether to return a dict by layer name instead of the sum.
        n_freqs : int, optional
            Frequency bins, to count before `fit` from the parameters, for two sources.

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

    def _mask_blocks(self, spectrogram):
        return predict_masks(self, spectrogram)

    def _check_predict(self, X):
        check_range(self, "others_weight")  # which may be changed after the fit
        return super()._check_predict(X)

    def _learnt_shapes(self):
        n_freqs = self.stft_params_.n_freqs
        shapes = {"input_mean_": (n_freqs,), "input_scale_": (n_freqs,)}
        for layer in self._layers(n_freqs, self.n_sources_):
            shapes |= {f"weights_/{name}": s for name, s in layer.parameter_shapes.items()}
        return shapes

    def _set_learnt(self, learnt):
        super()._set_learnt(learnt)
        self.layers_ = self._layers(self.stft_params_.n_freqs, self.n_sources_)

    def _check_fit(self, X, y):
        """Return the tracks with their sources, after checking them and the parameters."""
        tracks = training_tracks(X, y, self)
        self._check_parameters()
        warn_of_unseen_mask(tracks, [self.loss])
        return tracks

    def _choose_network(self, tracks, goes_on):
        """Return the layers of a network for the tracks, and its analysis.

        That is at the lowest sample rate among them, or where a fit goes on at that of before.
        """
        params = common_params(tracks)
        if goes_on and params.is_at_another_rate(self.stft_params_):
            params = self.stft_params_
        layers = self._layers(params.n_freqs, tracks[0].target.n_sources)
        if goes_on:
            self._require_same_network(layers, params)
        return layers, params

    def _require_same_network(self, layers, params):
        """Refuse to go on from what belongs to another network, input or analysis."""
        if layers != self.layers_ or self.input_power != self.input_power_:
            raise ValueError(
                "warm_start and partial_fit go on from the last fit, but the network has other "
                "layers or another input_power now. Keep them and the number of sources, or fit "
                "anew."
            )
        difference = params.differs_from(self.stft_params_)
        if difference:
            raise ValueError(
                "warm_start and partial_fit go on from the last fit, but now the tracks were "
                f"analysed with {difference}."
            )

    def _require_same_solver(self, solver):
        """Refuse to go on from the optimiser's state with another solver."""
        if self.solver != solver:
            raise ValueError(
                f"partial_fit goes on from the last fit, whose solver was {solver!r}, but solver "
                f"is {self.solver!r} now. Set it back, or fit with warm_start=True, which goes on "
                "from the weights alone."
            )

    def _set_source_names(self, names, goes_on):
        """Keep the names of the sources; those of an earlier fit stay where this one has none."""
        if names is None and goes_on:
            names = getattr(self, "source_names_", None)
        self.source_names_ = names or default_source_names(self.n_sources_)

    def _set_params_of_analysis(self, params, goes_on):
        """Keep the analysis; the sample rate of an earlier fit stays where this one knows none."""
        if not (goes_on and params.sample_rate is None):
            self.stft_params_ = params
