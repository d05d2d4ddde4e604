"""Learn the mask of the voice with a GRU network."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sksvs._tracks import check_targets, common_params
from sksvs.estimators._architecture import mask_network_layers
from sksvs.estimators._base import BaseMaskSeparator
from sksvs.estimators._features import count_masks
from sksvs.estimators._learning import epoch_random_state, learn
from sksvs.estimators._parameters import check_parameters
from sksvs.estimators._prediction import predict_masks
from sksvs.estimators._validation_tracks import choose_validation_tracks


class GRUMaskSeparator(BaseMaskSeparator):
    """Separate with masks that a network of GRU layers predicts from the mixture's magnitudes.

    The network sees ``(|X| / level)^input_power``, where the level is the RMS of the track,
    standardised per frequency. GRU layers, linear dense layers and one dense output layer follow.
    With two sources the output is the mask M₀ of the voice, clipped to [0, 1], and the other mask
    is 1 - M₀; with more it is one mask a source, divided by their sum. Stereo tracks get one mask
    from their channel mean, applied to every channel.

    It learns from the targets that :class:`~sksvs.transforms.IRMTarget` attaches, on segments
    of all tracks in shuffled batches. `predict` runs in bounded memory and without TensorFlow.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(128, 128)
        Units of the GRU layers (of each direction).
    bidirectional : bool, default=True
        Whether every GRU also reads backwards. A network that only reads forwards could be run
        live; one that reads both ways separates better.
    dense_layer_sizes : tuple of int, default=()
        Units of the linear layers between the GRUs and the output. The course report projects
        to n_freqs and on to 100: ``(513, 100)``.
    output_activation : {"sigmoid", "relu"}, default="sigmoid"
        The report's unbounded ReLU is clipped to 1 when predicting.
    dropout : float, default=0.3
        Share of the inputs of a GRU layer that is dropped while learning, the same ones in all
        frames of a segment.
    input_power : float, default=1.0
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, default="magnitude_absolute_error"
        "magnitude_absolute_error" or "magnitude_squared_error": of masked mixture against source
        magnitudes, over all sources, whatever IRMTarget's exponents are. "binary_crossentropy"
        (the report's), "mask_absolute_error" or "mask_squared_error": of the masks against those
        of IRMTarget.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        The optimiser.
    learning_rate : {"constant", "cosine", "adaptive"}, default="constant"
        "cosine" lets it fall to zero over `max_iter` epochs along half a cosine. "adaptive"
        divides it by 5 whenever two epochs in succession were not better than the best by `tol`,
        by the validation loss where there is one.
    learning_rate_init : float, default=0.001
        Learning rate of the first epoch.
    clip_norm : float or None, default=None
        Largest norm of the gradient of all weights together.
    batch_size : int, default=16
        Segments in a batch.
    segment_frames : int, default=128
        Frames in a segment (128 at hop 512: 1.5 s at 44.1 kHz, 4.1 s at 16 kHz).
    max_iter : int, default=60
        Epochs.
    early_stopping : bool, default=False
        Whether to hold out tracks, stop when their loss gets no better, and keep the best
        weights.
    validation_fraction : float, default=0.1
        Share of the tracks (or groups) to hold out.
    n_iter_no_change : int, default=10
        Epochs without a better validation loss before stopping.
    tol : float, default=0.0
        By how much a validation loss must be better to count.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights, the input statistics and the curves that there
        are, with a new optimiser.
    augmentation : Augmentation or None, default=None
        How the sources are varied before they are mixed, see
        :class:`~sksvs.augmentation.Augmentation`.
    cache_size : float, default=200
        Megabytes of what is kept in memory between epochs, track by track as far as it goes:
        spectra, or with `augmentation` the decoded sources. The rest is read and computed again.
    checkpoint_dir : str, path-like or None, default=None
        Folder in which to save the state of the fit after every epoch. A fit of the same
        parameters, tracks and integer `random_state` goes on from there, and gives what one that
        is not cut off gives. Many fits can share a folder.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Told about the beginning and end of training and of every epoch; they may stop it.
    random_state : int, RandomState or None, default=None
        Of the initial weights, dropout, segments and held-out tracks.
    verbose : bool, default=False
        Whether to show a bar with the epoch, the loss, frames per second and the time left.

    Attributes
    ----------
    weights_ : dict of str to array of float32
        By parameter name, as "gru_0/forward/kernel".
    training_state_ : dict of str to list of array
        The optimiser's state and that of dropout, for `partial_fit`.
    layers_ : tuple of Layer
        The network, layer by layer: name, kind, sizes.
    input_mean_, input_scale_ : array of float32, shape (n_freqs,)
        What the input is standardised with.
    input_power_ : float
        `input_power` when it was fitted.
    loss_curve_ : list of float
        Training loss after every epoch.
    validation_loss_curve_ : list of float
        Loss of the held-out tracks after every epoch; empty where there are none.
    n_iter_ : int
        Epochs run in all.
    held_out_ : array of bool, shape (n_tracks,)
        Which tracks were held out; a warm start holds out the same.
    n_sources_ : int
        Sources of a track.
    stft_params_ : STFTParams
        Analysis that the network was fitted with.

    References
    ----------
    P.-S. Huang et al., "Singing-voice separation from monaural recordings using deep recurrent
    neural networks", ISMIR 2014.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.transforms import IRMTarget, STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> gru = GRUMaskSeparator(hidden_layer_sizes=(8,), max_iter=1, random_state=0)
    >>> separator = make_pipeline(STFTTransformer(), IRMTarget(), gru).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    def __init__(
        self,
        hidden_layer_sizes=(128, 128),
        bidirectional=True,
        dense_layer_sizes=(),
        output_activation="sigmoid",
        dropout=0.3,
        input_power=1.0,
        loss="magnitude_absolute_error",
        solver="adam",
        learning_rate="constant",
        learning_rate_init=0.001,
        clip_norm=None,
        batch_size=16,
        segment_frames=128,
        max_iter=60,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=0.0,
        warm_start=False,
        augmentation=None,
        cache_size=200,
        checkpoint_dir=None,
        callbacks=None,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.dense_layer_sizes = dense_layer_sizes
        self.output_activation = output_activation
        self.dropout = dropout
        self.input_power = input_power
        self.loss = loss
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.segment_frames = segment_frames
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.augmentation = augmentation
        self.cache_size = cache_size
        self.checkpoint_dir = checkpoint_dir
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None, *, groups=None, validation_tracks=None):
        """Learn from the targets attached to X.

        Parameters
        ----------
        X : list of Spectrogram
            Each with a target, as IRMTarget's `fit_transform` gives it in a pipeline.
        y : ignored
            The sources have come with X.
        groups : sequence of length n_tracks, optional
            Singers or artists. Early stopping then holds out whole groups. In a pipeline:
            ``pipe.fit(X, y, gru__groups=groups)``.
        validation_tracks : sequence of bool of length n_tracks, optional
            True for a track that is not learnt from but held out for the validation loss.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a track has no target, a parameter is out of range, or there are too few tracks
            to hold one out.
        """
        spectrograms, layers, params = self._check_fit(X)
        goes_on = self.warm_start and hasattr(self, "weights_")
        if goes_on:
            self._require_same_network(layers, params)
        rng = check_random_state(self.random_state)
        held_out = np.zeros(len(spectrograms), bool)
        if self.early_stopping or validation_tracks is not None:
            again = goes_on and self.held_out_.any() and len(self.held_out_) == len(held_out)
            if again and validation_tracks is None:
                validation_tracks = self.held_out_
            held_out = choose_validation_tracks(
                len(spectrograms), self.validation_fraction, rng, groups, validation_tracks
            )
        start = self.weights_ if goes_on else None
        learn(self, layers, spectrograms, held_out, rng, start, self.max_iter, self.checkpoint_dir)
        self._set_params_of_analysis(params, goes_on)
        return self

    def partial_fit(self, X, y=None):
        """Learn for one epoch, going on from where the last one ended.

        The optimiser's state is kept, and what the input is standardised with stays as it was in
        the first fit. All tracks are learnt from: none is held out. Before any fit it is a fit of
        one epoch. A stock Pipeline has no `partial_fit`:
        ``pipe[-1].partial_fit(pipe[:-1].fit_transform(X, y))``.

        Parameters
        ----------
        X : list of Spectrogram
            Each with a target; not necessarily the tracks of before.
        y : ignored
            The sources have come with X.

        Returns
        -------
        self
        """
        spectrograms, layers, params = self._check_fit(X)
        goes_on, start = hasattr(self, "weights_"), None
        if goes_on:
            self._require_same_network(layers, params)
            start = {"weights": self.weights_, **self.training_state_}
        rng = epoch_random_state(self.random_state, self.n_iter_ if goes_on else 0)
        learn(self, layers, spectrograms, np.zeros(len(spectrograms), bool), rng, start, 1, None)
        self._set_params_of_analysis(params, goes_on)
        return self

    def count_params(self, by_layer=False, n_freqs=None):
        """Return how many weights the network has.

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

    def _check_fit(self, X):
        """Return the checked tracks, the layers of a network for them, and their analysis."""
        spectrograms = check_targets(X, self)
        check_parameters(self)
        params = common_params(spectrograms)
        layers = self._layers(params.n_freqs, spectrograms[0].target.n_sources)
        return spectrograms, layers, params

    def _layers(self, n_freqs, n_sources):
        return mask_network_layers(
            n_freqs,
            count_masks(n_sources),
            self.hidden_layer_sizes,
            self.bidirectional,
            self.dense_layer_sizes,
            self.output_activation,
        )

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

    def _set_params_of_analysis(self, params, goes_on):
        """Keep the analysis; the sample rate of an earlier fit stays where this one knows none."""
        if not (goes_on and params.sample_rate is None):
            self.stft_params_ = params
