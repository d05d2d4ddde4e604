"""The layers that train fast are stock Keras layers in all but speed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sksvs.networks import spec
from sksvs.networks.keras.gru import ProjectedBidirectional, ProjectedGRU
from tests.networks.keras.stock_layers import assert_same, outputs_and_gradients, same_weights
from tests.strategies import seeded_noise


def make_layer(gru, bidirectional, units, both_ways, **kwargs):
    def one(**more):
        return gru(units, return_sequences=True, reset_after=False, **kwargs, **more)

    return bidirectional(one(), backward_layer=one(go_backwards=True)) if both_ways else one()


def stock(*args, **kwargs):
    return make_layer(keras.layers.GRU, keras.layers.Bidirectional, *args, **kwargs)


def fast(*args, **kwargs):
    return make_layer(ProjectedGRU, ProjectedBidirectional, *args, **kwargs)


@pytest.fixture(params=["in one loop", "in a loop for each direction"])
def any_width(request, monkeypatch):
    """Take narrow layers as they are, then as if they were wide."""
    if request.param == "in a loop for each direction":
        monkeypatch.setattr(spec, "WIDE_FROM", 1)


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    units=st.integers(1, 7),
    n_inputs=st.integers(1, 6),
    batch=st.integers(1, 4),
    n_frames=st.integers(1, 12),
    both_ways=st.booleans(),
)
def test_outputs_and_gradients_are_those_of_keras(
    any_width, units, n_inputs, batch, n_frames, both_ways
):
    layers = [make(units, both_ways) for make in (stock, fast)]
    same_weights(layers, n_inputs)
    inputs = seeded_noise((batch, n_frames, n_inputs), seed=9).astype(np.float32)
    upstream = seeded_noise((batch, n_frames, units * (1 + both_ways)), seed=10).astype(np.float32)
    expected, actual = (outputs_and_gradients(layer, inputs, upstream) for layer in layers)
    assert_same(actual, expected)


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_compiled_layer_is_the_same_layer(any_width, both_ways):
    layers = [make(16, both_ways) for make in (stock, fast)]
    same_weights(layers, 20)
    inputs = seeded_noise((5, 60, 20), seed=1).astype(np.float32)
    upstream = 0.1 * seeded_noise((5, 60, 16 * (1 + both_ways)), seed=2).astype(np.float32)
    expected = outputs_and_gradients(layers[0], inputs, upstream)
    actual = outputs_and_gradients(layers[1], inputs, upstream, compiled=True)
    assert_same(actual, expected)


def test_a_layer_that_goes_backwards_gives_the_last_frame_first_as_keras_does():
    layers = [make(3, False, go_backwards=True) for make in (stock, fast)]
    same_weights(layers, 4)
    inputs = seeded_noise((2, 9, 4), seed=1).astype(np.float32)
    np.testing.assert_allclose(layers[1](inputs), layers[0](inputs), atol=1e-5)


def test_a_given_state_or_mask_is_left_to_keras():
    layers = [make(3, False) for make in (stock, fast)]
    same_weights(layers, 4)
    inputs, state = (seeded_noise(s, seed=1).astype(np.float32) for s in ((2, 9, 4), (2, 3)))
    mask = np.array([[True] * 9, [True] * 4 + [False] * 5])
    for kwargs in ({"initial_state": tf.constant(state)}, {"mask": tf.constant(mask)}):
        theirs, ours = (layer(inputs, **kwargs) for layer in layers)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("both_ways", [False, True])
def test_dropout_drops_the_same_inputs_in_all_frames_and_only_in_training(any_width, both_ways):
    layer = fast(5, both_ways, dropout=0.5, seed=0)
    same_weights([layer], 30)
    one_frame = seeded_noise((4, 1, 30), seed=3).astype(np.float32)
    inputs = tf.constant(np.repeat(one_frame, 6, axis=1))

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, training=True))
        return np.array(tape.gradient(loss, inputs)) != 0

    if not both_ways:  # a direction has dropped inputs of its own
        used = gradient()
        np.testing.assert_array_equal(used, np.repeat(used[:, :1], 6, axis=1))
        assert 0.2 < used.mean() < 0.8
        assert not np.array_equal(used, gradient())
    assert not np.array_equal(layer(inputs, training=True), layer(inputs, training=True))
    np.testing.assert_array_equal(layer(inputs), layer(inputs, training=False))
