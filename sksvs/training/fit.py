"""Fit a separator with a network: readers, batches, training, fitted attributes."""

from contextlib import nullcontext

import numpy as np
from sklearn.utils import check_random_state

from sksvs.system.generator import kept_generator
from sksvs.training.keras_callbacks import check_callbacks
from sksvs.training.objective import Objective
from sksvs.training.progress import Progress
from sksvs.training.readers import AugmentedReader, TrackReader
from sksvs.training.segments import SegmentBatches

COMPILED_FROM = 300_000  # frames in a fit: with fewer, XLA takes longer to compile than it saves


def check_training(separator):
    """Raise an error for what a model file could hold, but no fit can use."""
    check_callbacks(separator)
    if isinstance(getattr(separator.loss, "function", None), str):
        raise ValueError(
            f"{type(separator).__name__}: loss={separator.loss!r} comes from a model file, which "
            "holds the name of a function alone. Set the function: "
            f"set_params(loss={type(separator.loss).__name__}(function))."
        )


def train(
    separator,
    layers,
    params,
    spectrograms,
    held_out,
    rng,
    start,
    epochs,
    *,
    max_iter,
    schedule,
    checkpoint_dir=None,
):
    """Train the network of a separator and return its fitted attributes.

    Parameters
    ----------
    separator : BaseNetworkSeparator
    layers : tuple of Layer, ConvLayer or PathLayer
    params : STFTParams
        STFT settings of the network.
    spectrograms : list of Spectrogram
        From `training_tracks` or `measured_tracks`; at any sample rate.
    held_out : array of bool, shape (n_tracks,)
        Tracks for the validation loss alone.
    rng : numpy.random.RandomState
        Determines initial weights, dropout and segments.
    start : dict or None
        What to continue from: `weights_` alone, or "weights", "optimizer" and "dropout", at the
        learning rate of that optimiser. The separator's input statistics stay and its curves are
        extended. None: a new network.
    epochs : EpochTasks
        Of scikit-learn's callbacks.
    max_iter : int
        Epochs.
    schedule : {"constant", "cosine", "adaptive"}
        Of the learning rate. Where the optimiser continues after a cosine, which ends at zero, its
        rate is a tenth of the initial one at least.
    checkpoint_dir : str, path-like or None

    Returns
    -------
    dict
        The attributes by name.
    """
    try:  # these import TensorFlow, so not above
        with kept_generator():
            from sksvs.training.checkpoint import Checkpoint, fingerprint
            from sksvs.training.loop import train_network
            from sksvs.training.losses import check_loss
            from sksvs.training.model_pool import NetworkState, start_tensorflow
    except ImportError as error:
        raise ImportError(
            "Fitting needs TensorFlow, which cannot be imported. Install it with: "
            "pip install 'sksvs[fit]'"
        ) from error

    n_sources = spectrograms[0].target.n_sources
    n_masks = layers[-1].units // params.n_freqs
    objective = Objective(
        separator.loss, n_sources, n_masks, separator.discriminative, separator.error_floor
    )
    if objective.is_on_waveforms:
        objective = objective._replace(params=params)
    longest = max(x.n_frames for x, out in zip(spectrograms, held_out) if not out)
    start_tensorflow()
    check_loss(objective, min(separator.segment_frames, longest), params.n_freqs)

    checkpoint = None
    if checkpoint_dir is not None:
        name = fingerprint(separator, spectrograms, held_out, start)
        checkpoint = Checkpoint(checkpoint_dir, name)
    augmentation, budget = separator.augmentation, separator.cache_size * 1e6
    reader = TrackReader(
        [x for x, out in zip(spectrograms, held_out) if not out],
        objective,
        separator.input_power,
        budget if augmentation is None else 0,
        params,
    )
    if start is None:
        statistics, curves = reader.input_statistics(), ([], [])
    else:
        statistics = separator.input_mean_, separator.input_scale_
        curves = separator.loss_curve_, separator.validation_loss_curve_
    trained = reader if augmentation is None else AugmentedReader(reader, augmentation, budget)
    validation_batches = None
    if held_out.any():
        watched = [x for x, out in zip(spectrograms, held_out) if out]
        watched = TrackReader(
            watched, objective, separator.input_power, trained.spare_bytes, params
        )
        validation_batches = _batches(separator, watched, statistics, None)

    def fitted(weights, run):
        return {
            "weights_": weights,
            "input_mean_": statistics[0],
            "input_scale_": statistics[1],
            "input_power_": separator.input_power,
            "loss_curve_": [*curves[0], *run.losses],
            "validation_loss_curve_": [*curves[1], *run.validation_losses],
            "n_iter_": len(curves[0]) + len(run.losses),
            "held_out_": held_out,
            "layers_": layers,
            "n_sources_": n_sources,
        }

    state = NetworkState(**start) if start and "optimizer" in start else None
    batches = _batches(separator, trained, statistics, rng)
    after_cosine = separator.learning_rate == "cosine"
    stops_early = separator.early_stopping and validation_batches is not None
    shown = Progress(batches.n_frames, max_iter) if separator.verbose else nullcontext()
    with shown as progress:
        state, run = train_network(
            layers,
            state or start,
            batches,
            validation_batches,
            objective=objective,
            dropout=separator.dropout,
            solver=separator.solver,
            learning_rate=schedule,
            learning_rate_init=separator.learning_rate_init,
            learning_rate_floor=separator.learning_rate_init / 10 if after_cosine else 0.0,
            clip_norm=separator.clip_norm,
            ema_momentum=separator.ema_momentum,
            max_iter=max_iter,
            patience=separator.n_iter_no_change if stops_early else None,
            tol=separator.tol,
            seed=rng.randint(2**31 - 1),
            compiled=_compiles(layers, batches.n_frames * max_iter),
            mixed_precision=bool(separator.mixed_precision),
            callbacks=list(separator.callbacks or ()),
            checkpoint=checkpoint,
            progress=progress,
            epochs=epochs,
            fitted=fitted,
        )
    optimizer = {"optimizer": state.optimizer, "dropout": state.dropout}
    training_state = {**optimizer, "solver": separator.solver}
    return {**fitted(state.weights, run), "training_state_": training_state}


def epoch_random_state(random_state, n_iter):
    """Return the random state of epoch `n_iter` of `partial_fit`: distinct and reproducible."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return check_random_state(random_state)
    return np.random.RandomState([random_state, n_iter])


def _compiles(layers, n_frames):
    """Return whether XLA compiles the training step: in long fits of narrow networks."""
    return n_frames >= COMPILED_FROM and not any(layer.is_wide for layer in layers)


def _batches(separator, reader, statistics, rng):
    return SegmentBatches(reader, separator.segment_frames, separator.batch_size, *statistics, rng)
