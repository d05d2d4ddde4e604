"""Predict masks with a convolutional recurrent network."""

from dataclasses import KW_ONLY, dataclass

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.crn import convolutional_recurrent_layers

MAX_FEATURES = 1 << 18  # of a frame in any layer: a window of them is less than a gigabyte


@dataclass(eq=False, repr=False)
class CRNSeparator(BaseNetworkSeparator):
    """Separate with masks from GRU layers between convolutions over frames and frequencies.

    The convolutional recurrent network of Tan and Wang 2018, by default with bidirectional GRUs.
    Encoders are convolutions, each of which halves the number of frequencies. The GRU layers take
    the output of the last encoder, frame by frame, and a dense layer restores its size. Decoders
    are transposed convolutions, each of which doubles the number of frequencies; it takes the
    output of the layer before and of the encoder of the same size. A last convolution, over three
    frequencies, outputs the masks. All but the last have ELUs. A convolution treats all pitches
    alike, so the network generalises from fewer singers than GRU layers alone, for several times
    the work of GRUMaskSeparator on the same audio.

    Convolutions are batch-normalised: with batches of one segment, or in fits of a few steps, the
    running statistics that `predict` uses are poor.

    The input is ``(|X| / level)^input_power``, where the level is the RMS of the track,
    standardised per frequency. With two sources the output is the mask M₀ of the voice, clipped to
    [0, 1], and the other mask is 1 - M₀; with more, or with `joint_mask`, it is one value a source,
    divided by their sum. The masks of a stereo track come from its downmix and apply to every
    channel.

    It is trained on the sources that `fit` takes as `y`, in shuffled batches of segments of all
    tracks. `predict` needs bounded memory and no TensorFlow.

    Parameters
    ----------
    conv_channels : tuple of int, default=(16, 24, 32, 48, 64)
        Channels of the encoders, from the input on; the decoders mirror them.
    kernel_size : tuple of int, default=(3, 3)
        Size of a convolution's kernel in frames and frequencies, odd numbers.
    hidden_layer_sizes : tuple of int, default=(128,)
        Units of the GRU layers (of each direction). It may be empty where there are dual-path
        blocks.
    dual_path_sizes : tuple of (int, int), default=()
        Units (of each direction) of dual-path blocks between the GRU layers and the decoders (Le et
        al. 2021): for every block, those of its intra-frame GRU, along the frequencies of a frame,
        and of its inter-frame GRU, along the frames of a frequency. A linear projection, batch
        normalisation and a residual connection follow each; there is no dropout.
        ``hidden_layer_sizes=(), dual_path_sizes=((24, 48), (24, 48))`` has a fifth of the default's
        parameters.
    bottleneck_factor : int or None, default=None
        After every encoder, two dense layers along the frequencies of every channel, through a
        bottleneck of so many times fewer units, with a residual connection (the TDF block of Choi
        et al. 2020). They connect all frequencies of a frame. None: no bottlenecks.
    filter_bank : (int, int) or None, default=None
        Number of fine and of coarse bands that the network works in, in place of bins: the first
        bins are a band each, and triangular bands on a logarithmic scale share those above. A long
        window then resolves low frequencies finely at little cost: ``(140, 96)`` with n_fft=4096 at
        44.1 kHz has bins of 11 Hz up to 1.5 kHz. None: all bins.
    bidirectional : bool, default=True
        Whether GRUs along frames also run backwards in time and convolutions cover frames on both
        sides. Without, the network is causal: the masks of a frame depend on this frame and those
        before it alone, and a kernel of k frames covers the frame and the k - 1 before it. A causal
        network can separate a live stream (:class:`StreamingSeparator`); a bidirectional one
        separates better.
    output_activation : {"sigmoid", "relu", "linear"}, default="sigmoid"
        All but the sigmoid are clipped to [0, 1] in predictions; "linear" is for joint masks.
    joint_mask : bool, default=False
        Whether two sources, too, have one output each, and the masks are ``|ŷ_j| / Σ_k |ŷ_k|``
        (Huang et al. 2014, eq. 6 and 7).
    dropout : float, default=0.3
        Input dropout rate of the GRU layers (variational: one mask per segment).
    input_power : float, default=0.5
        Exponent of the input magnitudes; below 1 the quiet parts count for more.
    loss : str, SpectrumLoss or WaveformLoss, default="segment_error_ratio"
        "magnitude_absolute_error" or "magnitude_squared_error" compare the masked mixture with the
        magnitudes of the sources. "spectrum_absolute_error" or "spectrum_squared_error" compare
        complex spectra, so that the mask is smaller where the phase is wrong.
        "segment_error_ratio" is the energy of that error over the mixture's in dB, segment by
        segment: a negative SDR without its filters, up to a constant. "binary_crossentropy",
        "mask_absolute_error" or "mask_squared_error" compare the masks with those that
        :class:`~sksvs.transforms.IRMTarget` chooses, by default ratio masks of p = v = 1. "si_sdr"
        and "multi_resolution_stft" compare waveforms, and :class:`~sksvs.training.SpectrumLoss` and
        :class:`~sksvs.training.WaveformLoss` mark a function of your own.
    discriminative : float, default=0.0
        γ for magnitude losses: how much of the error of every estimate against the *other*
        sources is subtracted (Huang et al. 2014, eq. 9).
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
    learning_rate_init : float, default=0.002
        Learning rate of the first epoch.
    clip_norm : float or None, default=5.0
        Largest norm of the gradient of all weights together; None: not clipped.
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
        Whether convolutions and large products are made in bfloat16 during training, which has the
        range of float32 but three digits; weights, states and predictions stay float32. Faster on
        processors that have it (AVX512-BF16, AMX), slower on others.
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
        By parameter name, as "encoder_0/kernel"; the running statistics of the normalisation,
        as "encoder_0/mean", are among them.
    training_state_ : dict
        The state of the optimiser and of dropout, and the solver, for `partial_fit`. Not saved with
        a model.
    layers_ : tuple of Layer, ConvLayer or PathLayer
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
    K. Tan, D. Wang, "A convolutional recurrent neural network for real-time speech enhancement",
    Interspeech 2018.

    W. Choi, M. Kim, J. Chung, D. Lee, S. Jung, "Investigating U-Nets with various intermediate
    blocks for spectrogram-based singing voice separation", ISMIR 2020.

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

    conv_channels: tuple = (16, 24, 32, 48, 64)
    kernel_size: tuple = (3, 3)
    hidden_layer_sizes: tuple = (128,)
    dual_path_sizes: tuple = ()
    bottleneck_factor: int | None = None
    filter_bank: tuple | None = None
    bidirectional: bool = True
    _: KW_ONLY
    input_power: float = 0.5
    learning_rate_init: float = 0.002

    def _layers(self, n_freqs, n_sources):
        layers = convolutional_recurrent_layers(
            n_freqs,
            self._count_masks(n_sources),
            self.conv_channels,
            self.kernel_size,
            self.hidden_layer_sizes,
            self.output_activation,
            self.dual_path_sizes,
            self.bottleneck_factor,
            self.filter_bank,
            self.bidirectional,
        )
        if self.filter_bank is not None and sum(self.filter_bank) > n_freqs:
            raise ValueError(
                f"CRNSeparator: filter_bank {self.filter_bank!r} has more bands than the "
                f"{n_freqs} frequency bins. Take fewer, or a larger n_fft."
            )
        most = max(max(layer.n_inputs, layer.units) for layer in layers)
        if most > MAX_FEATURES:
            raise ValueError(
                f"CRNSeparator: conv_channels {self.conv_channels!r} make {most:,} values of every "
                f"frame of {n_freqs:,} frequencies, more than {MAX_FEATURES:,}. Take fewer."
            )
        return layers
