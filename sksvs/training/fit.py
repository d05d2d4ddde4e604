"""Fit a separator with a network: readers, batches, training, and what is kept of it."""

import numpy as np
from sklearn.utils import check_random_state

from sksvs.training.objective import Objective
from sksvs.training.progress import Progress
from sksvs.training.readers import AugmentedReader, TrackReader
from sksvs.training.segments import SegmentBatches

COMPILED_FROM = 300_000  # frames in a fit: with fewer, XLA takes longer to compile than it saves


def learn(separator, layers, params, spectrograms, held_out, rng, start, max_iter, checkpoint_dir):
    """Train the network of a separator and set its learnt attributes.

    Parameters
    ----------
    separator : BaseNetworkSeparator
    layers : tuple of Layer, ConvLayer or PathLayer
    params : STFTParams
        Analysis that the network is to have.
    spectrograms : list of Spectrogram
        From `training_tracks` or `measured_tracks`; at any sample rate.
    held_out : array of bool, shape (n_tracks,)
        Tracks that are not learnt from.
    rng : numpy.random.RandomState
        Of initial weights, dropout and segments.
    start : dict or None
        What to go on from: `weights_` alone, or "weights", "optimizer" and "dropout", with the
        learning rate that the optimiser has; the input statistics then stay and the curves are
        extended. None: a new network.
    max_iter : int
        Epochs.
    checkpoint_dir : str, path-like or None
    """
    try:  # these import TensorFlow, so not above
        from sksvs.training.checkpoint import Checkpoint, fingerprint
        from sksvs.training.loop import train_network
        from sksvs.training.model_pool import NetworkState
    except ImportError as error:
        raise ImportError(
            "Fitting needs TensorFlow, which cannot be imported. Install it with: "
            "pip install 'sksvs[fit]'"
        ) from error

    checkpoint = None
    if checkpoint_dir is not None:
        name = fingerprint(separator, spectrograms, held_out, start)
        checkpoint = Checkpoint(checkpoint_dir, name)

    n_sources = spectrograms[0].target.n_sources
    n_masks = layers[-1].units // params.n_freqs
    objective = Objective(separator.loss, n_sources, n_masks, separator.discriminative)
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
    learnt = reader if augmentation is None else AugmentedReader(reader, augmentation, budget)
    validation_batches = None
    if held_out.any():
        watched = [x for x, out in zip(spectrograms, held_out) if out]
        watched = TrackReader(watched, objective, separator.input_power, learnt.spare_bytes, params)
        validation_batches = _batches(separator, watched, statistics, None)

    state = NetworkState(**start) if start and "optimizer" in start else None
    batches = _batches(separator, learnt, statistics, rng)
    stops_early = separator.early_stopping and validation_batches is not None
    with Progress(batches.n_frames, max_iter, separator.verbose) as progress:
        state, run = train_network(
            layers,
            state or start,
            batches,
            validation_batches,
            objective=objective,
            dropout=separator.dropout,
            solver=separator.solver,
            learning_rate="constant" if state else separator.learning_rate,
            learning_rate_init=separator.learning_rate_init,
            clip_norm=separator.clip_norm,
            max_iter=max_iter,
            patience=separator.n_iter_no_change if stops_early else None,
            tol=separator.tol,
            seed=rng.randint(2**31 - 1),
            compiled=_compiles(layers, batches.n_frames * max_iter),
            mixed_precision=bool(separator.mixed_precision),
            callbacks=list(separator.callbacks or ()),
            checkpoint=checkpoint,
            progress=progress,
        )
    separator.weights_ = state.weights
    separator.training_state_ = {
        "optimizer": state.optimizer,
        "dropout": state.dropout,
        "solver": separator.solver,
    }
    separator.input_mean_, separator.input_scale_ = statistics
    separator.loss_curve_ = [*curves[0], *run.losses]
    separator.validation_loss_curve_ = [*curves[1], *run.validation_losses]
    separator.n_iter_ = len(separator.loss_curve_)
    separator.held_out_ = held_out
    separator.layers_, separator.input_power_ = layers, separator.input_power
    separator.n_sources_ = n_sources


def epoch_random_state(random_state, n_iter):
    """Return the generator of one more epoch after `n_iter` of them: another one each time."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return check_random_state(random_state)
    return np.random.RandomState([random_state, n_iter])


def _compiles(layers, n_frames):
    """Return whether the training step is compiled by XLA: in long fits of narrow networks."""
    return n_frames >= COMPILED_FROM and not any(layer.is_wide for layer in layers)


def _batches(separator, reader, statistics, rng):
    return SegmentBatches(reader, separator.segment_frames, separator.batch_size, *statistics, rng)
