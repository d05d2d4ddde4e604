"""The layers of deep recurrent networks are stock Keras layers in all but speed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.networks.drnn import deep_recurrent_layers
from sksvs.networks.keras.build import build_network
from sksvs.networks.keras.rnn import ContextWindow, FlatDense, ReluRNN
from sksvs.training.losses import make_loss
from sksvs.training.model_pool import set_weights
from sksvs.training.objective import Objective
from tests.networks.keras.stock_layers import assert_same, outputs_and_gradients, same_weights
from tests.strategies import seeded_noise


def noise(shape, seed, scale=1.0):
    return seeded_noise(shape, seed, scale).astype(np.float32)


def pairs(units):
    """Return a stock layer and ours, of both kinds."""
    return [
        (
            keras.layers.SimpleRNN(units, "relu", return_sequences=True),
            ReluRNN(units, "relu", return_sequences=True),
        ),
        (keras.layers.Dense(units, "relu"), FlatDense(units, "relu")),
    ]


@settings(max_examples=8)
@given(
    units=st.integers(1, 7),
    n_inputs=st.integers(1, 6),
    batch=st.integers(1, 4),
    n_frames=st.integers(1, 12),
)
def test_outputs_and_gradients_are_those_of_keras(units, n_inputs, batch, n_frames):
    inputs, upstream = noise((batch, n_frames, n_inputs), 9), noise((batch, n_frames, units), 10)
    for stock, ours in pairs(units):
        same_weights([stock, ours], n_inputs)
        expected, actual = (outputs_and_gradients(x, inputs, upstream) for x in (stock, ours))
        assert_same(actual, expected)


def test_the_compiled_layers_are_the_same_layers():
    inputs, upstream = noise((3, 20, 6), 1), noise((3, 20, 5), 2)
    for stock, ours in pairs(5):
        same_weights([stock, ours], 6)
        expected = outputs_and_gradients(stock, inputs, upstream)
        assert_same(outputs_and_gradients(ours, inputs, upstream, compiled=True), expected)


def test_a_given_state_or_mask_is_left_to_keras():
    layers = pairs(3)[0]
    same_weights(layers, 4)
    inputs, state = noise((2, 9, 4), 1), noise((2, 3), 1)
    mask = np.array([[True] * 9, [True] * 4 + [False] * 5])
    for kwargs in ({"initial_state": tf.constant(state)}, {"mask": tf.constant(mask)}):
        theirs, ours = (layer(inputs, **kwargs) for layer in layers)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("n_frames", [1, 2, 7])
def test_a_window_has_the_neighbours_of_every_frame_and_zeros_beyond(width, n_frames):
    inputs = noise((2, n_frames, 4), 3)
    windows = np.array(ContextWindow(width)(inputs))
    for i in range(n_frames):
        for j in range(width):
            neighbour = i + j - width // 2
            inside = 0 <= neighbour < n_frames
            expected = inputs[:, neighbour] if inside else np.zeros((2, 4))
            np.testing.assert_array_equal(windows[:, i, 4 * j : 4 * (j + 1)], expected)


def test_the_gradient_of_a_network_is_that_of_stock_layers():
    layers = deep_recurrent_layers(6, 2, (9, 8, 7), (1, 3), 3, "linear")
    stock = keras.Sequential(
        [
            keras.Input((None, 18)),
            keras.layers.SimpleRNN(9, "relu", return_sequences=True),
            keras.layers.Dense(8, "relu"),
            keras.layers.SimpleRNN(7, "relu", return_sequences=True),
            keras.layers.Dense(12),
        ]
    )
    ours = build_network(layers, dropout=0.0)
    names = [name for layer in layers for name in layer.parameter_shapes]
    weights = {n: noise(w.shape, i, 0.4) for i, (n, w) in enumerate(zip(names, stock.weights))}
    stock.set_weights(list(weights.values()))
    set_weights(ours, layers, weights)
    inputs, target = noise((4, 30, 6), 1), np.abs(noise((4, 30, 18), 2))
    padded = np.pad(inputs, [(0, 0), (1, 1), (0, 0)])
    windows = np.concatenate([padded[:, i : i + 30] for i in range(3)], axis=-1)
    loss = make_loss(Objective("magnitude_squared_error", 2, 2, discriminative=0.05))

    def gradients(model, inputs):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(tf.constant(target), model(inputs, training=True)))
        return tape.gradient(value, [w.value for w in model.trainable_weights])

    for own, expected in zip(gradients(ours, inputs), gradients(stock, windows), strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-4 * np.abs(expected).max())


def test_dropout_drops_the_same_inputs_of_hidden_layers_in_all_frames_and_only_in_training():
    layers = deep_recurrent_layers(5, 1, (60,), (), 1, "linear")
    model = build_network(layers, dropout=0.5)
    inputs = np.repeat(noise((3, 1, 5), 1), 8, axis=1)
    learning = np.array(model(inputs, training=True))
    np.testing.assert_allclose(learning, np.repeat(learning[:, :1], 8, axis=1), atol=1e-5)
    assert not np.allclose(learning, model(inputs, training=True), atol=1e-3)
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == 1
