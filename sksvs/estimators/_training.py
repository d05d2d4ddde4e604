"""Train a mask network, epoch by epoch."""

import logging
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from sksvs.estimators._network import (
    borrow_model,
    get_weights,
    initial_weights,
    reset_model,
    start_tensorflow,
)


class Epoch(NamedTuple):
    """What one epoch gave; `validation_loss` is None where no track is held out."""

    number: int
    loss: float
    validation_loss: float | None


def train_network(
    layers,
    weights,
    batches,
    validation_batches,
    *,
    n_sources,
    loss,
    dropout,
    solver,
    learning_rate_init,
    clip_norm,
    max_iter,
    patience,
    tol,
    seed,
    compiled,
    on_epoch,
):
    """Train a network and return its weights.

    Parameters
    ----------
    layers : tuple of Layer
    weights : dict of str to array, or None
        What to start from; None: new ones.
    batches, validation_batches : iterable of (inputs, targets, frame_weights), one epoch a pass
        `validation_batches` may be None.
    n_sources : int
    loss : str
        A key of `LOSSES`.
    dropout : float
    solver : str
        A key of `SOLVERS`.
    learning_rate_init : float
    clip_norm : float or None
        Largest norm of the gradient of all weights together.
    max_iter : int
        Epochs.
    patience : int or None
        Stop after as many epochs without a validation loss better by `tol`, and return the best
        weights; None: run all epochs and return the last.
    tol : float
    seed : int
    compiled : bool
        Whether XLA compiles the training step.
    on_epoch : callable
        Called with an `Epoch` after each.

    Returns
    -------
    dict of str to array
        The weights by parameter name.
    """
    start_tensorflow()
    kind = (layers, dropout, n_sources, loss, solver, clip_norm, compiled)
    with _no_retracing_warnings(), borrow_model(*kind) as model:
        start = initial_weights(layers, seed) if weights is None else weights
        reset_model(model, layers, start, learning_rate_init, seed)
        best, best_weights, best_epoch = np.inf, None, 0
        if weights is not None and patience is not None:
            best, best_weights = _mean_loss(model, model.test_on_batch, validation_batches), weights
        for number in range(1, max_iter + 1):
            train_loss, validation_loss = _mean_loss(model, model.train_on_batch, batches), None
            if validation_batches is not None:
                validation_loss = _mean_loss(model, model.test_on_batch, validation_batches)
            if not np.isfinite(train_loss):
                raise ValueError(
                    f"The training loss is {train_loss} in epoch {number}: the network diverges. "
                    "Take a smaller learning_rate_init, or clip_norm=1.0."
                )
            on_epoch(Epoch(number, train_loss, validation_loss))
            if patience is None:
                continue
            if best_weights is None or validation_loss < best - tol:
                best, best_weights, best_epoch = validation_loss, get_weights(model, layers), number
            elif number - best_epoch >= patience:
                break
        return get_weights(model, layers) if best_weights is None else best_weights


def _mean_loss(model, run_batch, batches):
    """Run every batch and return the mean loss of a frame."""
    total, count = 0.0, 0.0
    for inputs, targets, frame_weights in batches:
        n_frames = float(frame_weights.sum())
        # Keras divides by the number of frames, silent padding included.
        scaled = frame_weights * (frame_weights.size / n_frames)
        model.reset_metrics()
        loss = run_batch(inputs, targets, sample_weight=scaled)
        total, count = total + n_frames * float(np.ravel(loss)[0]), count + n_frames
    return total / count


@contextmanager
def _no_retracing_warnings():
    """Hold back TensorFlow's advice on retracing: networks of every kind are traced once."""

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
