"""Keep traced Keras models, lend them to one fit after another, read and set their state."""

from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from sksvs.networks.keras.build import build_network
from sksvs.system.generator import kept_generator
from sksvs.system.threads import thread_limit
from sksvs.training.losses import make_loss

SOLVERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


# Models that no fit is using, by what they were compiled for. TensorFlow keeps the graph of every
# model that it has traced, even when the model is gone; so models are used again.
_idle_models, _idle_lock = {}, Lock()
MAX_IDLE_MODELS = 8


@contextmanager
def borrow_model(
    layers, dropout, objective, solver, clip_norm, compiled, mixed_precision=False, ema_momentum=0.0
):
    """Lend a model to train: one that an earlier fit has left, or a new one.

    `compiled` says whether XLA compiles its training step, `mixed_precision` whether large products
    are made in bfloat16. With `ema_momentum`, the optimiser keeps averages of the weights. A model
    is used by one fit at a time. Its weights are arbitrary: call `reset_model` first.
    """
    key = (layers, dropout, objective, solver, clip_norm, compiled, mixed_precision, ema_momentum)
    with _idle_lock:
        idle = _idle_models.get(key)
        model = idle.pop() if idle else None
    if model is None:
        model = _compile_model(*key)
    try:
        yield model
    finally:
        with _idle_lock:
            _idle_models.setdefault(key, []).append(model)
            while sum(map(len, _idle_models.values())) > MAX_IDLE_MODELS:
                oldest = next(k for k, models in _idle_models.items() if models)
                _idle_models[oldest].pop()


def _compile_model(
    layers, dropout, objective, solver, clip_norm, compiled, mixed_precision, ema_momentum
):
    with kept_generator():
        model = build_network(layers, dropout, mixed_precision)
    averages = {"use_ema": True, "ema_momentum": ema_momentum} if ema_momentum else {}
    model.compile(
        SOLVERS[solver](global_clipnorm=clip_norm, **averages),
        make_loss(objective),
        jit_compile=compiled,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def initial_weights(layers, seed):
    """Return new weights by parameter name: those that Keras's layers start from.

    Glorot-uniform kernels, orthogonal recurrent kernels, biases of zero, scales and variances of
    one. But recurrent kernels of ReLU layers are half of an orthogonal matrix: with the identity
    (Le, Jaitly and Hinton 2015) or a whole one, the states grow from frame to frame, and with the
    former without bound.
    """
    rng = np.random.RandomState(seed)
    weights = {}
    for layer in layers:
        for name, shape in layer.parameter_shapes.items():
            new_seed = int(rng.randint(2**31 - 1))
            if name.endswith("/recurrent_kernel"):
                gain = 0.5 if layer.kind == "rnn" else 1.0
                values = keras.initializers.Orthogonal(gain, seed=new_seed)(shape)
            elif name.endswith("/kernel"):
                values = keras.initializers.GlorotUniform(seed=new_seed)(shape)
            elif name.endswith(("/scale", "/variance")):
                values = np.ones(shape, np.float32)
            else:
                values = np.zeros(shape, np.float32)
            weights[name] = np.array(values)
    return weights


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


class NetworkState(NamedTuple):
    """All that changes during training, as arrays.

    Attributes
    ----------
    weights : dict of str to array of float32
        By parameter name.
    optimizer : list of array
        Variables of the optimiser, its learning rate among them, in Keras's order.
    dropout : list of array
        Seed and counter of every layer with dropout.
    """

    weights: dict
    optimizer: list
    dropout: list


def read_state(model, layers):
    """Return the state of a model."""
    optimizer = [np.array(variable.numpy()) for variable in model.optimizer.variables]
    dropout = [np.array(variable.numpy()) for variable in _dropout_variables(model)]
    return NetworkState(get_weights(model, layers), optimizer, dropout)


def write_state(model, layers, state):
    """Set the state of a model to that of another with the same layers and solver.

    Where only one of them has dropout, its state stays as it is.
    """
    set_weights(model, layers, state.weights)
    pairs = [
        *zip(model.optimizer.variables, state.optimizer, strict=True),
        *zip(_dropout_variables(model), state.dropout, strict=False),
    ]
    for variable, value in pairs:
        variable.assign(value)


@contextmanager
def averaged_weights(model):
    """Give the model the averages of its weights for a while, where its optimiser keeps them.

    Before the first step there are none. Statistics of batch normalisation are averages already.
    """
    optimizer = model.optimizer
    if not optimizer.use_ema or int(optimizer.iterations) == 0:
        yield
        return
    variables = model.trainable_variables
    own = [np.array(variable.numpy()) for variable in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, own):
            variable.assign(value)


def reset_model(model, layers, weights, learning_rate, seed):
    """Reset weights, optimiser and dropout, as in a new model."""
    set_weights(model, layers, weights)
    model.optimizer.learning_rate = learning_rate
    reset_optimizer(model)
    rng = np.random.RandomState(seed)
    for state in _dropout_variables(model):
        state.assign(np.array([rng.randint(2**31 - 1), 0], "uint32"))


def reset_optimizer(model):
    """Reset the optimiser's state but for its learning rate."""
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(np.zeros(variable.shape))


def _dropout_variables(model):
    """Return the variables of a model besides its weights: seeds and counters of dropout."""
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


@contextmanager
def lend_to_callbacks(callbacks, model):
    """Attach Keras callbacks to a model, from the beginning of training to its end."""
    model.stop_training = False
    hooks = keras.callbacks.CallbackList(callbacks, model=model)
    try:
        hooks.on_train_begin()
        yield hooks
        hooks.on_train_end()
    finally:
        for callback in callbacks:
            callback.set_model(None)  # it is lent to other fits


def start_tensorflow():
    """Start TensorFlow, unless it is running, with the number of threads this process may use.

    joblib limits its workers by OMP_NUM_THREADS, which TensorFlow ignores.
    """
    _limit_threads()
    tf.config.list_logical_devices()


def _limit_threads():
    limit = thread_limit()
    if limit is None:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(limit)
        tf.config.threading.set_inter_op_parallelism_threads(limit)
    except RuntimeError:  # TensorFlow is running already, and keeps what it has
        return
