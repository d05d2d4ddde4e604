"""The NumPy pass of deep recurrent networks is Keras's, whatever it is cut into."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.estimators._architecture import deep_recurrent_layers
from sksvs.estimators._context_network import ContextNetwork, run_with_context
from sksvs.estimators._network import build_network, set_weights
from tests.strategies import seeded_noise

PLAIN = np.zeros(9, np.float32), np.ones(9, np.float32)
STATISTICS = np.full(9, 0.5, np.float32), np.linspace(0.1, 2, 9, dtype=np.float32)


def noise(n_frames, seed=1):
    return seeded_noise((n_frames, 9), seed).astype(np.float32)


def layers_and_weights(recurrent_layers, context_frames=3, hidden=(6, 4, 5)):
    layers = deep_recurrent_layers(9, 2, hidden, recurrent_layers, context_frames, "linear")
    shapes = {k: v for layer in layers for k, v in layer.parameter_shapes.items()}
    return layers, {
        name: seeded_noise(shape, i, 0.4).astype(np.float32)
        for i, (name, shape) in enumerate(shapes.items())
    }


def run(layers, weights, statistics, parts):
    """Return the output for features that come in parts, and what follows each part."""
    network = ContextNetwork(layers, weights, *statistics)
    blocks = [SimpleNamespace(frames=part.T) for part in parts]
    ran = list(run_with_context(network, blocks, np.transpose))
    assert [block for block, _ in ran] == blocks
    assert [len(output) for _, output in ran] == [len(part) for part in parts]
    return np.concatenate([output for _, output in ran])


@pytest.mark.parametrize("recurrent_layers", [(), (1,), (2,), (1, 3), "all"])
@pytest.mark.parametrize("context_frames", [1, 3, 7])
def test_numpy_computes_what_keras_computes(recurrent_layers, context_frames):
    layers, weights = layers_and_weights(recurrent_layers, context_frames)
    model = build_network(layers, dropout=0.5)
    set_weights(model, layers, weights)
    assert sum(layer.n_params for layer in layers) == model.count_params()
    features = noise(40)
    (expected,) = model.predict_on_batch(features[np.newaxis])
    actual = run(layers, weights, PLAIN, [features])
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max())


def test_a_recurrence_has_the_activation_that_its_layer_says():
    context, layer = layers_and_weights((1,), 1, (2,))[0][:2]
    layer = layer._replace(n_inputs=9, activation="linear")
    weights = {
        "hidden_1/kernel": -np.ones((9, 2), np.float32),
        "hidden_1/recurrent_kernel": np.eye(2, dtype=np.float32),
        "hidden_1/bias": np.zeros(2, np.float32),
    }
    states = run((context, layer), weights, PLAIN, [np.ones((3, 9), np.float32)])
    np.testing.assert_array_equal(states[:, 0], [-9, -18, -27])


@given(
    recurrent_layers=st.sampled_from([(), (1,), (2,), "all"]),
    margin=st.integers(0, 4),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_blocks_of_any_length_give_what_the_whole_gives(recurrent_layers, margin, lengths):
    layers, weights = layers_and_weights(recurrent_layers, 2 * margin + 1)
    features = noise(sum(lengths))
    whole = run(layers, weights, STATISTICS, [features])
    parts = np.split(features, np.cumsum(lengths)[:-1])
    np.testing.assert_allclose(run(layers, weights, STATISTICS, parts), whole, atol=1e-5)


def test_the_input_is_standardised():
    layers, weights = layers_and_weights((2,))
    features, (mean, scale) = noise(40), STATISTICS
    expected = run(layers, weights, PLAIN, [(features - mean) / scale])
    np.testing.assert_allclose(
        run(layers, weights, STATISTICS, [features]), expected, atol=1e-5 * np.abs(expected).max()
    )


def test_a_frame_depends_on_those_before_and_as_many_ahead_as_the_window_sees():
    features = noise(20)
    changed = features.copy()
    changed[10] += 1
    for recurrent_layers, last in (((), 12), ((2,), 19)):
        layers, weights = layers_and_weights(recurrent_layers, 5, (30, 30, 30))
        one, other = (run(layers, weights, PLAIN, [x]) for x in (features, changed))
        different = np.flatnonzero((one != other).any(axis=1))
        np.testing.assert_array_equal(different, np.arange(8, last + 1))
