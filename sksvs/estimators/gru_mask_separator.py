"""Learn the mask of the voice with a GRU network."""

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.spec import mask_network_layers
from sksvs.training.objective import count_masks


class GRUMaskSeparator(BaseNetworkSeparator):
    """Separate with masks that a network of GRU layers predicts from the mixture's magnitudes.

    The network sees ``(|X| / level)^input_power``, where the level is the RMS of the track,
    standardised per frequency. GRU layers, linear dense layers and one dense output layer follow.
    With two sources the output is the mask M₀ of the voice, clipped to [0, 1], and the other mask
    is 1 - M₀; with more, or with `joint_mask`, it is one value a source, divided by their sum.
    Stereo tracks get one mask from their channel mean, applied to every channel.

    It learns from the sources that `fit` is given as `y`, on segments of all tracks in shuffled
    batches. `predict` runs in bounded memory and without TensorFlow.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(128, 128)
        Units of the GRU layers (of each direction).
    bidirectional : bool, default=True
        Whether every GRU also reads backwards. A network that only reads forwards could be run
        live; a bidirectional one separates better.
    dense_layer_sizes : tuple of int, default=()
        Units of the linear layers between the GRUs and the output. The course report projects
        to n_freqs and on to 100: ``(513, 100)``.
    output_activation : {"sigmoid", "relu", "linear"}, default="sigmoid"
        The report's unbounded ReLU is clipped to 1 when predicting. "linear" is for joint masks.
    joint_mask : bool, default=False
        Whether the output layer also gives one value a source where there are two, and the masks
        are ``|ŷ_j| / Σ_k |ŷ_k|`` (the paper's joint mask layer, eq. 6 and 7).
    dropout : float, default=0.3
        Share of the inputs of a GRU layer that is dropped while learning, the same ones in all
        frames of a segment.
    input_power : float, default=1.0
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, default="magnitude_absolute_error"
        "magnitude_absolute_error" or "magnitude_squared_error": of masked mixture against source
        magnitudes, over all sources.
        "spectrum_absolute_error" or "spectrum_squared_error": the same of complex spectra, so
        that a mask that cannot mend the phase lets less through. "segment_error_ratio": the
        energy of that error over the mixture's in dB, segment by segment, which is SDR but for
        its filters and a constant. "binary_crossentropy" (the report's), "mask_absolute_error" or
        "mask_squared_error": of the masks against those that
        :class:`~sksvs.transforms.IRMTarget` chooses, by default ratio masks of p = v = 1.
    discriminative : float, default=0.0
        The paper's γ for magnitude losses: how much of the error of every estimate against the
        *other* sources is subtracted (eq. 9; 0.05 there).
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
    mixed_precision : bool, default=False
        Whether large products are made in bfloat16 while learning, which has the range of float32
        but three digits; weights, states and all else stay float32, and so does `predict`. Faster
        on processors that have it (AVX512-BF16, AMX), slower on others.
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
        Folder in which to save the state of the fit after every epoch, or, where saving takes
        long beside an epoch, for 5 % of the time. A fit of the same parameters, tracks and integer
        `random_state` goes on from there, and gives what one that is not cut off gives. Many fits
        can share a folder.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Told about the beginning and end of training and of every epoch; they may stop it.
    others_weight : float, default=1.0
        Weight of the other sources' masks against the first's when predicting: with w, the mask
        M₀ becomes ``M₀ / (M₀ + w (1 - M₀))``. Above 1, what may be music is kept out of the voice:
        its SIR rises, its SAR falls, and its SDR rises as long as what is left in disturbs more
        than what is missing, since BSS Eval forgives a voice that is filtered. The accompaniment
        pays for it. It may be changed after `fit`; from 1e-6 to 1e6.
    random_state : int, RandomState or None, default=None
        Of the initial weights, dropout, segments and held-out tracks.
    verbose : bool, default=False
        Whether to show a bar with the epoch, the loss, frames per second and the time left; where
        standard error is no terminal, a line an epoch, and one that says how long the fit takes.

    Attributes
    ----------
    weights_ : dict of str to array of float32
        By parameter name, as "gru_0/forward/kernel".
    training_state_ : dict
        The optimiser's state, that of dropout and the solver, for `partial_fit`. It is not in a
        saved model.
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
    source_names_ : tuple of str
        What they are called: as in the first of `y` that has `source_names`, or else "vocals" and
        "accompaniment", of more than two "vocals", "source_1", "source_2" and so on.
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
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> gru = GRUMaskSeparator(hidden_layer_sizes=(8,), max_iter=1, random_state=0)
    >>> separator = make_pipeline(STFTTransformer(), gru).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    def __init__(
        self,
        hidden_layer_sizes=(128, 128),
        bidirectional=True,
        dense_layer_sizes=(),
        output_activation="sigmoid",
        joint_mask=False,
        dropout=0.3,
        input_power=1.0,
        loss="magnitude_absolute_error",
        discriminative=0.0,
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
        mixed_precision=False,
        warm_start=False,
        augmentation=None,
        cache_size=200,
        checkpoint_dir=None,
        callbacks=None,
        others_weight=1.0,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.dense_layer_sizes = dense_layer_sizes
        self.output_activation = output_activation
        self.joint_mask = joint_mask
        self.dropout = dropout
        self.input_power = input_power
        self.loss = loss
        self.discriminative = discriminative
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
        self.mixed_precision = mixed_precision
        self.warm_start = warm_start
        self.augmentation = augmentation
        self.cache_size = cache_size
        self.checkpoint_dir = checkpoint_dir
        self.callbacks = callbacks
        self.others_weight = others_weight
        self.random_state = random_state
        self.verbose = verbose

    def _layers(self, n_freqs, n_sources):
        return mask_network_layers(
            n_freqs,
            count_masks(n_sources, self.joint_mask),
            self.hidden_layer_sizes,
            self.bidirectional,
            self.dense_layer_sizes,
            self.output_activation,
        )
