"""Build a mask network in Keras and train it."""

import logging
import os
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from sksvs.estimators._startup_log import without_startup_log

with without_startup_log():
    import keras
    import tensorflow as tf
    from keras import ops

SOLVERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def _magnitude_errors(target, masks, n_sources):
    """Return masked mixture less source, for every source: (batch, frames, n_sources, freqs).

    The target holds the magnitudes of the mixture and of the sources side by side; `masks` is
    the one mask of two sources, or those of more sources side by side.
    """
    n_freqs = target.shape[-1] // (1 + n_sources)
    shape = (*ops.shape(masks)[:2], -1, n_freqs)
    magnitudes, masks = ops.reshape(target, shape), ops.reshape(masks, shape)
    if n_sources == 2:
        masks = ops.concatenate([masks, 1 - masks], axis=-2)
    else:
        masks = masks / ops.maximum(ops.sum(masks, axis=-2, keepdims=True), keras.config.epsilon())
    return masks * magnitudes[:, :, :1] - magnitudes[:, :, 1:]


# name: from targets, masks and the number of sources to the loss of every frame
MASK_LOSSES = {
    "binary_crossentropy": lambda t, m, n: keras.losses.binary_crossentropy(t, m),
    "mask_absolute_error": lambda t, m, n: ops.mean(ops.abs(t - m), axis=-1),
    "mask_squared_error": lambda t, m, n: ops.mean(ops.square(t - m), axis=-1),
}
MAGNITUDE_LOSSES = {
    "magnitude_absolute_error": lambda t, m, n: ops.mean(
        ops.abs(_magnitude_errors(t, m, n)), axis=(-2, -1)
    ),
    "magnitude_squared_error": lambda t, m, n: ops.mean(
        ops.square(_magnitude_errors(t, m, n)), axis=(-2, -1)
    ),
}
LOSSES = {**MASK_LOSSES, **MAGNITUDE_LOSSES}


class Epoch(NamedTuple):
    """What one epoch gave; `validation_loss` is None where no track is held out."""

    number: int
    loss: float
    validation_loss: float | None


def build_network(layers, dropout, seed):
    """Return the Keras model of these layers, with Keras's usual initial weights.

    Parameters
    ----------
    layers : tuple of Layer
    dropout : float
        Share of a GRU layer's inputs that is dropped, the same ones in all frames of a segment.
    seed : int
        Of the initial weights and of dropout.

    Returns
    -------
    keras.Model
        From (batch, n_frames, n_freqs) to (batch, n_frames, n_outputs).
    """
    rng = np.random.RandomState(seed)

    def new_seed():
        return int(rng.randint(2**31 - 1))

    def new_gru(layer, **kwargs):
        return keras.layers.GRU(
            layer.units,
            return_sequences=True,
            reset_after=False,  # the parameter counts of the report
            dropout=dropout,
            kernel_initializer=keras.initializers.GlorotUniform(new_seed()),
            recurrent_initializer=keras.initializers.Orthogonal(seed=new_seed()),
            seed=new_seed(),
            **kwargs,
        )

    inputs = values = keras.Input((None, layers[0].n_inputs))
    for layer in layers:
        if layer.kind == "dense":
            keras_layer = keras.layers.Dense(
                layer.units,
                layer.activation,
                kernel_initializer=keras.initializers.GlorotUniform(new_seed()),
                name=layer.name,
            )
        elif layer.bidirectional:
            keras_layer = keras.layers.Bidirectional(
                new_gru(layer, name=f"{layer.name}_forward"),
                backward_layer=new_gru(layer, name=f"{layer.name}_backward", go_backwards=True),
                name=layer.name,
            )
        else:
            keras_layer = new_gru(layer, name=layer.name)
        values = keras_layer(values)
    return keras.Model(inputs, values)


def get_weights(model, layers):
    """Return the model's weights as arrays by parameter name."""
    return {
        name: array
        for layer in layers
        for name, array in zip(layer.parameter_shapes, model.get_layer(layer.name).get_weights())
    }


def set_weights(model, layers, weights):
    """Give the model these weights."""
    for layer in layers:
        model.get_layer(layer.name).set_weights([weights[name] for name in layer.parameter_shapes])


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
    on_epoch : callable
        Called with an `Epoch` after each.

    Returns
    -------
    dict of str to array
        The weights by parameter name.
    """
    start_tensorflow()
    model = build_network(layers, dropout, seed)
    if weights is not None:
        set_weights(model, layers, weights)
    model.compile(
        SOLVERS[solver](learning_rate_init, global_clipnorm=clip_norm),
        lambda target, masks: LOSSES[loss](target, masks, n_sources),
        jit_compile=False,  # compiling takes longer than a small fit gains
    )
    best, best_weights, best_epoch = np.inf, None, 0
    for number in range(1, max_iter + 1):
        validation_loss = None
        with _no_retracing_warnings():
            train_loss = _mean_loss(model, model.train_on_batch, batches)
            if validation_batches is not None:
                validation_loss = _mean_loss(model, model.test_on_batch, validation_batches)
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
    """Hold back TensorFlow's advice on retracing: every fit is a new network, traced once."""

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def start_tensorflow():
    """Start TensorFlow, if it is not running, on the threads that this process is allowed.

    joblib tells its workers through OMP_NUM_THREADS, which NumPy heeds and TensorFlow does not.
    """
    with without_startup_log():
        _limit_threads()
        tf.config.list_logical_devices()


def _limit_threads():
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    if not allowed.isdigit():
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(int(allowed))
        tf.config.threading.set_inter_op_parallelism_threads(int(allowed))
    except RuntimeError:  # TensorFlow is running already, and keeps what it has
        return
