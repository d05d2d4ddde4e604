"""Predict masks with the deep recurrent networks of Huang et al. 2014."""

from dataclasses import KW_ONLY, dataclass

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.drnn import deep_recurrent_layers


@dataclass(eq=False, repr=False)
class DRNNSeparator(BaseNetworkSeparator):
    """Separate with masks from ReLU layers, some of them recurrent, over a context window.

    The networks of Huang et al. 2014, section 3.1: a DNN (no layer is recurrent), a DRNN-k (hidden
    layer k is, ``h_t = relu(x_t W + h_{t-1} U + b)``) and an sRNN (all are). The input is
    ``(|X| / level)^input_power`` of `context_frames` frames, where the level is the RMS of the
    track, standardised per frequency. The network is causal but for a look-ahead of
    ``context_frames // 2`` frames. With joint masks (section 3.2) the output ŷ_j is one value a
    source and frequency, and the masks are ``|ŷ_j| / Σ_k |ŷ_k|`` (eq. 6 and 7). They take part in
    training, because the loss (eq. 9) compares masked mixtures with sources. The masks of a stereo
    track come from its downmix and apply to every channel.

    It is trained on the sources that `fit` takes as `y`, in shuffled batches of segments of all
    tracks, by gradient descent in place of the paper's L-BFGS. `predict` needs bounded memory and
    no TensorFlow. :func:`~sksvs.estimators.huang2014_network` returns the networks of the paper by
    name.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(1000, 1000, 1000)
        Units of the hidden layers.
    recurrent_layers : tuple of int or "all", default=(2,)
        Which hidden layers are recurrent, numbered from 1: ``()`` is the paper's DNN, ``(2,)`` its
        DRNN-2, "all" its sRNN.
    context_frames : int, default=3
        Width of the context window in frames, an odd number. Frames before the first and after
        the last of a track (in training: of a segment) count as the mean of the input.
    output_activation : {"sigmoid", "relu", "linear"}, default="linear"
        "linear" is for joint masks; without them predictions are clipped to [0, 1].
    joint_mask : bool, default=True
        Whether the output layer gives one value a source and the masks are joint. Without it, two
        sources have one output, the mask M₀ of the voice, and the other mask is 1 - M₀.
    dropout : float, default=0.0
        Input dropout rate of all hidden layers (variational: one mask per segment).
    input_power : float, default=1.0
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, SpectrumLoss or WaveformLoss, default="magnitude_squared_error"
        "magnitude_absolute_error" or "magnitude_squared_error" compare the masked mixture with the
        magnitudes of the sources. "spectrum_absolute_error" or "spectrum_squared_error" compare
        complex spectra, so that the mask is smaller where the phase is wrong.
        "segment_error_ratio" is the energy of that error over the mixture's in dB, segment by
        segment: a negative SDR without its filters, up to a constant. "binary_crossentropy",
        "mask_absolute_error" or "mask_squared_error" compare the masks with those that
        :class:`~sksvs.transforms.IRMTarget` chooses, by default ratio masks of p = v = 1. "si_sdr"
        and "multi_resolution_stft" compare waveforms, and :class:`~sksvs.training.SpectrumLoss` and
        :class:`~sksvs.training.WaveformLoss` mark a function of your own.
    discriminative : float, default=0.05
        The γ of eq. 9, for magnitude losses: how much of the error of every estimate against the
        *other* sources is subtracted. 0 is the paper's objective without discrimination.
    error_floor : float, default=0.001
        For "segment_error_ratio": share of the mixture's energy that is added to that of the error.
        Where voices rest for long, a network gains more by being sure of it than by finding a soft
        voice elsewhere; 0.015 lets it gain less.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        The optimiser.
    learning_rate : {"constant", "cosine", "adaptive"}, default="cosine"
        "cosine" lowers it to zero over `max_iter` epochs, batch by batch. "adaptive" divides it
        by 5 whenever two successive epochs do not improve on the best loss by `tol`; the
        validation loss counts where there is one.
    learning_rate_init : float, default=0.001
        Learning rate of the first epoch.
    clip_norm : float or None, default=1.0
        Largest norm of the gradient of all weights together, which explodes where a ReLU
        recurrence amplifies from frame to frame.
    ema_momentum : float, default=0.0
        Of an exponential average of the weights: after every step, the average is `ema_momentum`
        times itself plus the rest of the new weights. Predictions, and validation, use the average.
        0.99 averages about the last 100 steps; a fit must have many times as many, since the first
        weights count too. 0 uses the weights of the last step.
    batch_size : int, default=8
        Segments in a batch.
    segment_frames : int, default=128
        Frames in a segment (128 at hop 512: 1.5 s at 44.1 kHz, 4.1 s at 16 kHz).
    max_iter : int, default=60
        Epochs.
    early_stopping : bool, default=False
        Whether to hold out tracks, stop when their loss stops improving, and keep the best
        weights.
    validation_fraction : float, default=0.1
        Share of the tracks (or groups) to hold out.
    n_iter_no_change : int, default=10
        Epochs without a better validation loss before stopping.
    tol : float, default=0.0
        By how much a validation loss must be better to count.
    mixed_precision : bool, default=False
        Whether large products are made in bfloat16 during training, which has the range of float32
        but three digits; weights, states and predictions stay float32. Faster on processors that
        have it (AVX512-BF16, AMX), slower on others.
    warm_start : bool, default=False
        Whether `fit` continues from the weights, input statistics and loss curves of the last fit,
        with a new optimiser.
    augmentation : Augmentation or None, default=None
        How the sources are varied before they are mixed, see
        :class:`~sksvs.augmentation.Augmentation`.
    cache_size : float, default=200
        Megabytes of memory for what is kept between epochs, whole tracks at a time: spectra, or
        with `augmentation` the decoded sources. The rest is read and computed again every epoch.
    checkpoint_dir : str, path-like or None, default=None
        Folder in which the state of the fit is saved after epochs, for at most 5 % of the time. A
        fit of the same parameters, tracks and integer `random_state` continues from there, with
        the same result as one that was never interrupted. Many fits can share a folder.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Called at the beginning and end of training and of every epoch; they may stop it. Those of
        scikit-learn are no parameter: ``set_callbacks(ProgressBar())``.
    others_weight : float, default=1.0
        Weight of the accompaniment's masks against the voice's in prediction: with w, the mask M₀
        becomes ``M₀ / (M₀ + w (1 - M₀))``. Above 1, doubtful bins go to the accompaniment: the
        voice's SIR rises and its SAR falls. Its SDR rises up to some w, since BSS Eval forgives a
        filtered voice more than interference; the SDR of the accompaniment falls. From 1e-6 to 1e6;
        may be changed after `fit`.
    side_weight : float, default=0.0
        How much the difference of two channels counts against the voice in prediction: with w, the
        voice's mask is multiplied by ``|M|² / (|M|² + w |S|²)``, where M and S are the mid and the
        side signal of the stereo mixture. It is meant for songs whose voice is in the centre.
        May be changed after `fit`.
    random_state : int, RandomState or None, default=None
        Determines the initial weights, dropout, segments and held-out tracks.
    verbose : bool, default=False
        Whether to show a bar with the epoch, the loss, frames per second and the time left; where
        standard error is no terminal, a line an epoch, and one with the time that the fit takes.

    Attributes
    ----------
    weights_ : dict of str to array of float32
        By parameter name, as "hidden_2/recurrent_kernel".
    training_state_ : dict
        The state of the optimiser and of dropout, and the solver, for `partial_fit`. Not saved with
        a model.
    layers_ : tuple of Layer
        The network, layer by layer: name, kind, sizes.
    input_mean_, input_scale_ : array of float32, shape (n_freqs,)
        Mean and standard deviation of the input per frequency, by which it is standardised.
    input_power_ : float
        `input_power` when it was fitted.
    loss_curve_ : list of float
        Training loss after every epoch.
    validation_loss_curve_ : list of float
        Loss of the held-out tracks after every epoch; empty where there are none.
    n_iter_ : int
        Epochs run in all.
    held_out_ : array of bool, shape (n_tracks,)
        Tracks that were held out; a warm start holds out the same.
    n_sources_ : int
        Sources of a track.
    source_names_ : tuple of str
        Names of the sources: those of the first item of `y` that has `source_names`, else "vocals"
        and "accompaniment", or of more than two "vocals", "source_1", "source_2", …
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

    hidden_layer_sizes: tuple = (1000, 1000, 1000)
    recurrent_layers: tuple | str = (2,)
    context_frames: int = 3
    _: KW_ONLY
    output_activation: str = "linear"
    joint_mask: bool = True
    dropout: float = 0.0
    loss: str = "magnitude_squared_error"
    discriminative: float = 0.05
    clip_norm: float | None = 1.0

    def _layers(self, n_freqs, n_sources):
        return deep_recurrent_layers(
            n_freqs,
            self._count_masks(n_sources),
            self.hidden_layer_sizes,
            self.recurrent_layers,
            self.context_frames,
            self.output_activation,
        )
