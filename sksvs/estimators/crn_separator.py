"""Learn the masks of the sources with a convolutional recurrent network."""

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.spec import convolutional_recurrent_layers
from sksvs.training.objective import count_masks

MOST_FEATURES = 1 << 18  # of a frame in any layer: a window of them is less than a gigabyte


class CRNSeparator(BaseNetworkSeparator):
    """Separate with masks from a GRU between convolutions over frames and frequencies.

    The convolutional recurrent network of Tan and Wang 2018, with bidirectional GRUs. Its
    encoders are convolutions that halve the frequencies one after another; the GRU layers see
    what the last one leaves of every frame, and a dense layer of as many features follows; the
    decoders are transposed convolutions that double the frequencies again, each beside what the
    encoder of the same size gave; a last convolution, over three frequencies, gives the masks.
    All but the last have ELUs. What a convolution has learnt of a voice at one pitch it knows at
    any other, so the network learns from fewer singers than one of GRUs alone and knows more of
    others, for several times the work of GRUMaskSeparator on the same audio.

    The convolutions are normalised over the batch while learning: with batches of one segment, or
    in fits of a few steps, the running statistics that `predict` has are poor.

    It sees ``(|X| / level)^input_power``, where the level is the RMS of the track, standardised
    per frequency. With two sources the output is the mask M₀ of the voice, clipped to [0, 1], and
    the other mask is 1 - M₀; with more, or with `joint_mask`, it is one value a source, divided by
    their sum. Stereo tracks get one mask from their channel mean, applied to every channel.

    It learns from the sources that `fit` is given as `y`, on segments of all tracks in shuffled
    batches. `predict` runs in bounded memory and without TensorFlow.

    Parameters
    ----------
    conv_channels : tuple of int, default=(16, 24, 32, 48, 64)
        Channels of the encoders, from the input on; the decoders mirror them.
    kernel_size : tuple of int, default=(3, 3)
        Frames and frequencies that a convolution sees, odd numbers.
    hidden_layer_sizes : tuple of int, default=(128,)
        Units of the GRU layers (of each direction). It may be empty where there are dual-path
        blocks.
    dual_path_sizes : tuple of (int, int), default=()
        Units (of each direction) of dual-path blocks between the GRU layers and the decoders: of
        every block, those of a GRU that reads along the frequencies of every frame, and those of
        a GRU that reads along the frames of every frequency (Le et al. 2021). What each gives is
        brought to as many channels, normalised, and added to what it has seen; nothing is
        dropped. ``hidden_layer_sizes=(), dual_path_sizes=((24, 48), (24, 48))`` has a fifth of the
        parameters of the default.
    output_activation : {"sigmoid", "relu", "linear"}, default="sigmoid"
        Others than the sigmoid are clipped to [0, 1] when predicting; "linear" is for joint masks.
    joint_mask : bool, default=False
        Whether there is one value a source also where there are two, and the masks are
        ``|ŷ_j| / Σ_k |ŷ_k|`` (Huang et al. 2014, eq. 6 and 7).
    dropout : float, default=0.3
        Share of the inputs of a GRU layer that is dropped while learning, the same ones in all
        frames of a segment.
    input_power : float, default=0.5
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, default="segment_error_ratio"
        "magnitude_absolute_error" or "magnitude_squared_error": of masked mixture against source
        magnitudes, over all sources.
        "spectrum_absolute_error" or "spectrum_squared_error": the same of complex spectra, so
        that a mask that cannot mend the phase lets less through. "segment_error_ratio": the
        energy of that error over the mixture's in dB, segment by segment, which is SDR but for
        its filters and a constant. "binary_crossentropy", "mask_absolute_error" or
        "mask_squared_error": of the masks against those that
        :class:`~sksvs.transforms.IRMTarget` chooses, by default ratio masks of p = v = 1.
    discriminative : float, default=0.0
        γ for magnitude losses: how much of the error of every estimate against the *other*
        sources is subtracted (Huang et al. 2014, eq. 9).
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        The optimiser.
    learning_rate : {"constant", "cosine", "adaptive"}, default="constant"
        "cosine" lets it fall to zero over `max_iter` epochs along half a cosine. "adaptive"
        divides it by 5 whenever two epochs in succession were not better than the best by `tol`,
        by the validation loss where there is one.
    learning_rate_init : float, default=0.002
        Learning rate of the first epoch.
    clip_norm : float or None, default=5.0
        Largest norm of the gradient of all weights together.
    batch_size : int, default=8
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
        Whether convolutions and large products are made in bfloat16 while learning, which has the
        range of float32 but three digits; weights, states and all else stay float32, and so does
        `predict`. Faster on processors that have it (AVX512-BF16, AMX), slower on others.
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
        By parameter name, as "encoder_0/kernel"; the running statistics of the normalisation,
        as "encoder_0/mean", are among them.
    training_state_ : dict
        The optimiser's state, that of dropout and the solver, for `partial_fit`. It is not in a
        saved model.
    layers_ : tuple of Layer, ConvLayer or PathLayer
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
    K. Tan, D. Wang, "A convolutional recurrent neural network for real-time speech enhancement",
    Interspeech 2018.

    X. Le, H. Chen, K. Chen, J. Lu, "DPCRN: dual-path convolution recurrent network for single
    channel speech enhancement", Interspeech 2021.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> crn = CRNSeparator(conv_channels=(4, 4), max_iter=1, random_state=0)
    >>> separator = make_pipeline(STFTTransformer(), crn).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    def __init__(
        self,
        conv_channels=(16, 24, 32, 48, 64),
        kernel_size=(3, 3),
        hidden_layer_sizes=(128,),
        dual_path_sizes=(),
        output_activation="sigmoid",
        joint_mask=False,
        dropout=0.3,
        input_power=0.5,
        loss="segment_error_ratio",
        discriminative=0.0,
        solver="adam",
        learning_rate="constant",
        learning_rate_init=0.002,
        clip_norm=5.0,
        batch_size=8,
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
        self.conv_channels = conv_channels
        self.kernel_size = kernel_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dual_path_sizes = dual_path_sizes
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
        layers = convolutional_recurrent_layers(
            n_freqs,
            count_masks(n_sources, self.joint_mask),
            self.conv_channels,
            self.kernel_size,
            self.hidden_layer_sizes,
            self.output_activation,
            self.dual_path_sizes,
        )
        most = max(max(layer.n_inputs, layer.units) for layer in layers)
        if most > MOST_FEATURES:
            raise ValueError(
                f"CRNSeparator: conv_channels {self.conv_channels!r} make {most:,} values of every "
                f"frame of {n_freqs:,} frequencies, more than {MOST_FEATURES:,}. Take fewer."
            )
        return layers
