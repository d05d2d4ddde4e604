"""Build mask networks in Keras, and lend them to one fit after another."""

from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from sksvs.networks.keras.conv import ConvolutionLayer, PathRecurrence
from sksvs.networks.keras.gru import ProjectedBidirectional, ProjectedGRU
from sksvs.networks.keras.rnn import ContextWindow, FlatDense, ReluRNN
from sksvs.networks.spec import ConvLayer, PathLayer
from sksvs.system.threads import thread_limit
from sksvs.training.losses import make_loss
from sksvs.training.replicas import active_strategy

SOLVERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def build_network(layers, dropout, mixed_precision=False):
    """Return the Keras model of these layers.

    Parameters
    ----------
    layers : tuple of Layer, ConvLayer or PathLayer
    dropout : float
        Share of a recurrent (or other hidden) layer's inputs that is dropped, the same ones in all
        frames of a segment.
    mixed_precision : bool
        Whether large products are made in bfloat16 while learning.

    Returns
    -------
    keras.Model
        From (batch, n_frames, n_freqs) to (batch, n_frames, n_outputs).
    """
    inputs = values = keras.Input((None, layers[0].n_inputs))
    skipped = []  # what encoders have seen and given, for the decoders
    for layer in layers:
        if layer.drops_inputs and dropout:
            shape = (None, 1, layer.n_inputs)
            values = keras.layers.Dropout(dropout, noise_shape=shape, seed=0)(values)
        keras_layer = _keras_layer(layer, dropout, mixed_precision)
        if isinstance(layer, PathLayer):
            values = keras_layer(_reshaped(values, (layer.n_freqs, layer.channels)))
            continue
        if not isinstance(layer, ConvLayer):
            values = keras_layer(_reshaped(values, (layer.n_inputs,)))
            continue
        values = _reshaped(values, (layer.n_inputs // layer.n_channels, layer.n_channels))
        if layer.kind == "encoder":
            skipped += [] if skipped else [values]
            values = keras_layer(values)
            skipped.append(values)
        else:
            values = keras_layer(values, skipped.pop())
    return keras.Model(inputs, values)


def _keras_layer(layer, dropout, mixed_precision):
    products = {"mixed_precision": mixed_precision}
    if isinstance(layer, ConvLayer):
        return ConvolutionLayer(layer, **products)
    if isinstance(layer, PathLayer):
        return PathRecurrence(layer, **products)
    if layer.kind == "dense":
        return FlatDense(layer.units, layer.activation, name=layer.name, **products)
    if layer.kind == "rnn":
        same = {"return_sequences": True, "name": layer.name}
        return ReluRNN(layer.units, layer.activation, **same, **products)
    if layer.kind == "context":
        return ContextWindow(layer.units // layer.n_inputs, name=layer.name)

    def new_gru(name, **kwargs):
        return ProjectedGRU(
            layer.units,
            return_sequences=True,
            reset_after=False,  # the parameter counts of the report
            dropout=dropout,
            seed=0,  # set anew by every fit
            name=name,
            **products,
            **kwargs,
        )

    if not layer.bidirectional:
        return new_gru(layer.name)
    return ProjectedBidirectional(
        new_gru(f"{layer.name}_forward"),
        backward_layer=new_gru(f"{layer.name}_backward", go_backwards=True),
        name=layer.name,
    )


def _reshaped(values, of_frame):
    """Return values with the features of a frame in another shape."""
    if values.shape[2:] == of_frame:
        return values
    return keras.layers.Reshape((-1, *of_frame))(values)


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


# Models that no fit is using, by what they were compiled for. TensorFlow keeps the graph of every
# model that it has traced, even when the model is gone; so models are used again.
_idle_models, _idle_lock = {}, Lock()
MOST_IDLE_MODELS = 8


@contextmanager
def borrow_model(layers, dropout, objective, solver, clip_norm, compiled, mixed_precision=False):
    """Lend a model to train: one that an earlier fit has left, or a new one.

    `compiled` says whether its training step is compiled by XLA, `mixed_precision` whether large
    products are made in bfloat16. Where a `tf.distribute` strategy
    is active, the model is one of its own, with a copy of the weights on each of its devices.

    No two fits have the same one at a time. What it holds is of no account: see `reset_model`.
    """
    strategy = active_strategy()
    settings = (layers, dropout, objective, solver, clip_norm, compiled, mixed_precision)
    key = (strategy, *settings)
    with _idle_lock:
        idle = _idle_models.get(key)
        model = idle.pop() if idle else None
    if model is None:
        model = _compile_model(*settings)
    try:
        yield model
    finally:
        with _idle_lock:
            _idle_models.setdefault(key, []).append(model)
            while sum(map(len, _idle_models.values())) > MOST_IDLE_MODELS:
                oldest = next(k for k, models in _idle_models.items() if models)
                _idle_models[oldest].pop()


def _compile_model(layers, dropout, objective, solver, clip_norm, compiled, mixed_precision):
    model = build_network(layers, dropout, mixed_precision)
    model.compile(
        SOLVERS[solver](global_clipnorm=clip_norm),
        make_loss(objective),
        jit_compile=compiled,
    )
    model.optimizer.build(model.trainable_variables)
    return model


class NetworkState(NamedTuple):
    """All that changes while a network learns, as arrays.

    Attributes
    ----------
    weights : dict of str to array of float32
        By parameter name.
    optimizer : list of array
        The optimiser's own, its learning rate among them, in Keras's order.
    dropout : list of array
        Seed and counter of every layer that drops inputs.
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
    """Give a model the state that another model with the same layers and solver had.

    Where only one of them drops inputs, the state of that is left as it is.
    """
    set_weights(model, layers, state.weights)
    pairs = [
        *zip(model.optimizer.variables, state.optimizer, strict=True),
        *zip(_dropout_variables(model), state.dropout, strict=False),
    ]
    for variable, value in pairs:
        variable.assign(value)


def reset_model(model, layers, weights, learning_rate, seed):
    """Make a model what it would be if it were new: weights, optimiser, dropout."""
    set_weights(model, layers, weights)
    set_learning_rate(model, learning_rate)
    reset_optimizer(model)
    rng = np.random.RandomState(seed)
    for state in _dropout_variables(model):
        state.assign(np.array([rng.randint(2**31 - 1), 0], "uint32"))


def reset_optimizer(model):
    """Make the optimiser a new one, at the learning rate that it has."""
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(np.zeros(variable.shape))


def _dropout_variables(model):
    """Return what a model holds besides its weights: seeds and counters."""
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def set_learning_rate(model, rate):
    """Set the learning rate of a model's optimiser."""
    model.optimizer.learning_rate = rate


@contextmanager
def lend_to_callbacks(callbacks, model):
    """Let Keras callbacks watch a model: they are told when training begins and ends."""
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
    """Start TensorFlow, if it is not running, on the threads that this process is allowed.

    joblib tells its workers through OMP_NUM_THREADS, which NumPy heeds and TensorFlow does not.
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
