"""Learn the masks of the sources with the deep recurrent networks of Huang et al. 2014."""

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.spec import deep_recurrent_layers
from sksvs.training.objective import count_masks


class DRNNSeparator(BaseNetworkSeparator):
    """Separate with masks from ReLU layers, some of them recurrent, that see a window of frames.

    The networks of Huang et al. 2014, section 3.1: a DNN (no layer is recurrent), a DRNN-k (hidden
    layer k is, ``h_t = relu(x_t W + h_{t-1} U + b)``) and an sRNN (all are). The network sees
    ``(|X| / level)^input_power`` of `context_frames` frames, where the level is the RMS of the
    track, standardised per frequency. It reads forwards and looks ``context_frames // 2`` frames
    ahead. With joint masks (section 3.2) it gives ŷ_j, one value a source and frequency, and the
    masks are ``|ŷ_j| / Σ_k |ŷ_k|`` (eq. 6 and 7); they are part of what is learnt, because the loss
    (eq. 9) compares masked mixtures with sources. Stereo tracks get one mask from their channel
    mean, applied to every channel.

    It learns from the sources that `fit` is given as `y`, on segments of all tracks in shuffled
    batches, by gradient descent where the paper took L-BFGS. `predict` runs
    in bounded memory and without TensorFlow. :func:`~sksvs.estimators.huang2014_network` gives the
    networks of the paper by name.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(1000, 1000, 1000)
        Units of the hidden layers.
    recurrent_layers : tuple of int or "all", default=(2,)
        Which hidden layers are recurrent, numbered from 1: ``()`` is the paper's DNN, ``(2,)`` its
        DRNN-2, "all" its sRNN.
    context_frames : int, default=3
        Frames that the network sees, an odd number: those around the one whose mask it gives.
        Frames before the first and after the last of a track (in training: of a segment) count as
        the mean of the input.
    output_activation : {"sigmoid", "relu", "linear"}, default="linear"
        "linear" is for joint masks; without them it is clipped to [0, 1] when predicting.
    joint_mask : bool, default=True
        Whether the output layer gives one value a source and the masks are joint. Without it, two
        sources have one output, the mask M₀ of the voice, and the other mask is 1 - M₀.
    dropout : float, default=0.0
        Share of the inputs of every hidden layer that is dropped while learning, the same ones in
        all frames of a segment, recurrent or not.
    input_power : float, default=1.0
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, default="magnitude_squared_error"
        "magnitude_absolute_error" or "magnitude_squared_error": of masked mixture against source
        magnitudes, over all sources.
        "spectrum_absolute_error" or "spectrum_squared_error": the same of complex spectra, so
        that a mask that cannot mend the phase lets less through. "segment_error_ratio": the
        energy of that error over the mixture's in dB, segment by segment, which is SDR but for
        its filters and a constant. "binary_crossentropy", "mask_absolute_error" or
        "mask_squared_error": of the masks against those that
        :class:`~sksvs.transforms.IRMTarget` chooses, by default ratio masks of p = v = 1.
    discriminative : float, default=0.05
        The γ of eq. 9, for magnitude losses: how much of the error of every estimate against the
        *other* sources is subtracted. 0 is the paper's objective without discrimination.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        The optimiser.
    learning_rate : {"constant", "cosine", "adaptive"}, default="constant"
        "cosine" lets it fall to zero over `max_iter` epochs along half a cosine. "adaptive"
        divides it by 5 whenever two epochs in succession were not better than the best by `tol`,
        by the validation loss where there is one.
    learning_rate_init : float, default=0.001
        Learning rate of the first epoch.
    clip_norm : float or None, default=1.0
        Largest norm of the gradient of all weights together, which explodes where a ReLU
        recurrence amplifies from frame to frame.
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
        By parameter name, as "hidden_2/recurrent_kernel".
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
    P.-S. Huang, M. Kim, M. Hasegawa-Johnson, P. Smaragdis, "Singing-voice separation from monaural
    recordings using deep recurrent neural networks", ISMIR 2014.

    Q. V. Le, N. Jaitly, G. E. Hinton, "A simple way to initialize recurrent networks of rectified
    linear units", 2015.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.datasets import make_singing_mixtures
    >>> from sksvs.transforms import STFTTransformer
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=2.0, random_state=0)
    >>> drnn = DRNNSeparator(hidden_layer_sizes=(8, 8), max_iter=1, random_state=0)
    >>> separator = make_pipeline(STFTTransformer(), drnn).fit(X, y)
    >>> separator.predict(X)[0].shape
    (2, 32000)
    """

    def __init__(
        self,
        hidden_layer_sizes=(1000, 1000, 1000),
        recurrent_layers=(2,),
        context_frames=3,
        output_activation="linear",
        joint_mask=True,
        dropout=0.0,
        input_power=1.0,
        loss="magnitude_squared_error",
        discriminative=0.05,
        solver="adam",
        learning_rate="constant",
        learning_rate_init=0.001,
        clip_norm=1.0,
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
        self.recurrent_layers = recurrent_layers
        self.context_frames = context_frames
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
        return deep_recurrent_layers(
            n_freqs,
            count_masks(n_sources, self.joint_mask),
            self.hidden_layer_sizes,
            self.recurrent_layers,
            self.context_frames,
            self.output_activation,
        )
