"""Train a mask network, epoch by epoch."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from sksvs.training.model_pool import (
    NetworkState,
    averaged_weights,
    borrow_model,
    get_weights,
    initial_weights,
    lend_to_callbacks,
    read_state,
    reset_model,
    reset_optimizer,
    write_state,
)


@dataclass
class Run:
    """Losses and the best epoch of a fit, after some epochs."""

    epoch: int = 0
    losses: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)
    best_loss: float = np.inf
    best_epoch: int = 0
    best_weights: dict | None = None


def train_network(
    layers,
    start,
    batches,
    validation_batches,
    *,
    objective,
    dropout,
    solver,
    learning_rate,
    learning_rate_init,
    learning_rate_floor,
    clip_norm,
    ema_momentum,
    max_iter,
    patience,
    tol,
    seed,
    compiled,
    mixed_precision,
    callbacks,
    checkpoint,
    progress,
    epochs,
    fitted,
):
    """Train a network.

    Parameters
    ----------
    layers : tuple of Layer, ConvLayer or PathLayer
    start : NetworkState, dict of str to array, or None
        What to continue from; with weights alone, the optimiser is new; None: new weights.
    batches, validation_batches : iterable of Batch, one epoch a pass
        `validation_batches` may be None.
    objective : Objective
    dropout : float
    solver : str
        A key of `SOLVERS`.
    learning_rate : str
        The schedule, see `scheduled_rate`.
    learning_rate_init : float
    learning_rate_floor : float
        Lowest learning rate to continue at with the optimiser of a NetworkState.
    clip_norm : float or None
        Largest norm of the gradient of all weights together; None: not clipped.
    ema_momentum : float
        Of the exponential average of the weights, step by step, which is validated and returned in
        place of the weights; 0: none.
    max_iter : int
        Epochs.
    patience : int or None
        Number of epochs without a validation loss better by `tol` after which to stop and return
        the best weights; None: run all epochs and return the last weights.
    tol : float
    seed : int
    compiled : bool
        Whether XLA compiles the training step.
    mixed_precision : bool
        Whether large products are made in bfloat16.
    callbacks : list of keras.callbacks.Callback
    checkpoint : Checkpoint or None
        To save after epochs, and to resume from where it exists.
    progress : Progress or None
    epochs : EpochTasks
        Each epoch begins and ends there; those before a resumed fit have no fitted separator.
    fitted : callable
        Makes the fitted attributes of weights and a Run.

    Returns
    -------
    state : NetworkState
    run : Run
    """
    kind = (layers, dropout, objective, solver, clip_norm, compiled, mixed_precision, ema_momentum)
    with _no_retracing_warnings(), borrow_model(*kind) as model:
        if isinstance(start, NetworkState):
            weights = start.weights
        else:
            weights = initial_weights(layers, seed) if start is None else start
        reset_model(model, layers, weights, learning_rate_init, seed)
        if isinstance(start, NetworkState):
            write_state(model, layers, start)
            if float(model.optimizer.learning_rate) < learning_rate_floor:
                model.optimizer.learning_rate = learning_rate_floor
        saved = None if checkpoint is None else checkpoint.load(batches.random_state)
        if saved is not None:
            state, run = saved
            write_state(model, layers, state)
        else:
            run = Run()
            if start is not None and patience is not None:
                run.best_loss = _validation_loss(model, validation_batches, run.epoch)
                run.best_weights = weights
        for _ in range(run.epoch):
            epochs.begin()
            epochs.end()
        with lend_to_callbacks(callbacks, model) as hooks:
            while run.epoch < max_iter and not _is_over(run, patience, model):
                epochs.begin()
                hooks.on_epoch_begin(run.epoch)
                run.epoch += 1
                schedule = learning_rate, learning_rate_init, max_iter, tol
                _run_epoch(model, batches, validation_batches, run, schedule, progress)
                if patience is not None and run.validation_losses[-1] < run.best_loss - tol:
                    run.best_loss, run.best_epoch = run.validation_losses[-1], run.epoch
                    run.best_weights = _weights_to_keep(model, layers)
                hooks.on_epoch_end(run.epoch - 1, _logs(run))
                if epochs.end(lambda: fitted(_weights_to_keep(model, layers), run)):
                    model.stop_training = True
                over = run.epoch == max_iter or _is_over(run, patience, model)
                if checkpoint is not None and (over or checkpoint.is_due):
                    checkpoint.save(read_state(model, layers), batches.random_state, run)
        weights = run.best_weights or _weights_to_keep(model, layers)
        if run.best_weights is not None and run.best_epoch < run.epoch:
            reset_optimizer(model)  # the moments are those of other weights
        return read_state(model, layers)._replace(weights=weights), run


def _weights_to_keep(model, layers):
    """Return the averages of the weights, or the weights where there are no averages."""
    with averaged_weights(model):
        return get_weights(model, layers)


def _is_over(run, patience, model):
    lost_patience = patience is not None and run.epoch - run.best_epoch >= patience
    return lost_patience or model.stop_training


def _run_epoch(model, batches, validation_batches, run, schedule, progress):
    """Train on every batch, and extend the loss curves."""
    curve = list(run.validation_losses or run.losses)

    def scheduled():
        for i, batch in enumerate(batches):
            rate = scheduled_rate(*schedule, curve, i / len(batches))
            if rate is not None:
                model.optimizer.learning_rate = rate
            yield batch

    advance = None
    if progress is not None:
        progress.begin_epoch(run.epoch)
        advance = progress.advance
    run.losses.append(_mean_loss(model, "training", scheduled(), run.epoch, advance))
    if validation_batches is not None:
        run.validation_losses.append(_validation_loss(model, validation_batches, run.epoch))
    if progress is not None:
        progress.end_epoch(**_logs(run))


def _validation_loss(model, batches, epoch):
    with averaged_weights(model):
        return _mean_loss(model, "validation", batches, epoch)


def _mean_loss(model, purpose, batches, epoch, advance=None):
    """Run every batch, to train or to validate, and return the mean loss of a frame."""
    total, count = 0.0, 0.0
    for batch in batches:
        n_frames = float(batch.frame_weights.sum())
        # Keras divides by the number of frames, silent padding included.
        weights = batch.frame_weights * (batch.frame_weights.size / n_frames)
        loss = run_on_batch(model, purpose, batch.inputs, batch.targets, weights)
        if not np.isfinite(loss):
            raise ValueError(
                f"The {purpose} loss is {loss} in epoch {epoch}: the network diverges. Take a "
                "smaller learning_rate_init, or clip_norm=1.0. It happened in a batch of "
                f"{', '.join(batch.tracks)}."
            )
        total, count = total + n_frames * loss, count + n_frames
        if advance is not None:
            n_segments = np.count_nonzero(batch.frame_weights[:, 0])
            advance(n_segments * batch.inputs.shape[1], total / count)
    return total / count


def run_on_batch(model, purpose, inputs, targets, frame_weights):
    """Run a training or validation step and return the loss of the batch before it."""
    model.reset_metrics()  # so that the loss is that of this batch alone
    run = model.train_on_batch if purpose == "training" else model.test_on_batch
    return float(np.ravel(run(inputs, targets, sample_weight=frame_weights))[0])


def scheduled_rate(schedule, initial, max_iter, tol, curve, share=0.0):
    """Return the learning rate of the next batch; None means keep the current one.

    Parameters
    ----------
    schedule : {"constant", "cosine", "adaptive"}
        "cosine": ``initial * (1 + cos(π e / max_iter)) / 2`` after e epochs, batch by batch.
        "adaptive": divided by 5 whenever two successive epochs do not improve on the best loss by
        more than `tol`.
    initial : float
    max_iter : int
        Epochs in all.
    tol : float
    curve : list of float
        Loss after every epoch so far.
    share : float, default=0.0
        Share of the current epoch that is over.

    Returns
    -------
    float or None

    Examples
    --------
    >>> scheduled_rate("adaptive", 0.01, 50, 0.0, [0.5, 0.4, 0.4, 0.41])
    0.002
    """
    if schedule == "constant":
        return None
    if schedule == "cosine":
        return float(initial * (1 + np.cos(np.pi * (len(curve) + share) / max_iter)) / 2)
    rate, best, n_worse = initial, np.inf, 0
    for loss in curve:
        n_worse = 0 if loss < best - tol else n_worse + 1
        best = min(best, loss)
        if n_worse == 2:
            rate, n_worse = rate / 5, 0
    return rate


def _logs(run):
    """Return the losses of the last epoch under Keras's names."""
    logs = {"loss": run.losses[-1]}
    return {**logs, "val_loss": run.validation_losses[-1]} if run.validation_losses else logs


@contextmanager
def _no_retracing_warnings():
    """Suppress TensorFlow's advice on retracing: every kind of network is traced once."""

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
