"""The NumPy pass computes the same in pieces, in batches and with layers made one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.estimators import _inference as inference
from sksvs.estimators._activations import sigmoid
from sksvs.estimators._architecture import mask_network_layers
from sksvs.estimators._inference import BidirectionalNetwork, ForwardNetwork
from tests.strategies import seeded_noise

STATISTICS = np.full(9, 0.5, np.float32), np.linspace(0.1, 2, 9, dtype=np.float32)


def layers_and_weights(bidirectional, hidden=(6, 4, 5), dense=(7, 5), seed=0):
    layers = mask_network_layers(9, 1, hidden, bidirectional, dense, "sigmoid")
    shapes = {k: v for layer in layers for k, v in layer.parameter_shapes.items()}
    return layers, {
        name: 0.5 * seeded_noise(shape, seed + i).astype(np.float32)
        for i, (name, shape) in enumerate(shapes.items())
    }


def noise(n_frames, seed=1):
    return seeded_noise((n_frames, 9), seed).astype(np.float32)


@given(
    hidden=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_a_carried_state_makes_many_passes_one(hidden, lengths):
    layers, weights = layers_and_weights(False, tuple(hidden))
    features = noise(sum(lengths))
    whole = ForwardNetwork(layers, weights, *STATISTICS).run(features)
    network = ForwardNetwork(layers, weights, *STATISTICS)
    parts = [network.run(part) for part in np.split(features, np.cumsum(lengths)[:-1])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_layers_run_together_give_what_they_give_one_by_one(monkeypatch):
    layers, weights = layers_and_weights(False)
    together = ForwardNetwork(layers, weights, *STATISTICS).run(noise(50))
    monkeypatch.setattr(inference, "STACKED_UNITS", 0)
    network = ForwardNetwork(layers, weights, *STATISTICS)
    assert len(network._stacks) == 3
    np.testing.assert_allclose(network.run(noise(50)), together, atol=1e-6)


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_ranges_of_any_length_do_not_influence_one_another(lengths, seed):
    layers, weights = layers_and_weights(True)
    network = BidirectionalNetwork(layers, weights, *STATISTICS)
    ranges = [network.project(noise(n, seed + i)) for i, n in enumerate(lengths)]
    together = network.run(ranges, [(0, 0)] * len(ranges))
    alone = [network.run([r], [(0, 0)]) for r in ranges]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)
    first = network.run(ranges[:1], [(lengths[0] - 1, 0)])
    np.testing.assert_allclose(first, alone[0][-1:], atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_input_is_standardised(bidirectional):
    layers, weights = layers_and_weights(bidirectional)
    plain = np.zeros(9, np.float32), np.ones(9, np.float32)
    features, (mean, scale) = noise(40), STATISTICS

    def run(values, statistics):
        if not bidirectional:
            return ForwardNetwork(layers, weights, *statistics).run(values)
        network = BidirectionalNetwork(layers, weights, *statistics)
        return network.run([network.project(values)], [(0, 0)])

    expected = run((features - mean) / scale, plain)
    np.testing.assert_allclose(run(features, STATISTICS), expected, atol=1e-5)


def test_a_linear_layer_that_narrows_stays_where_merging_is_more_work():
    layers, weights = layers_and_weights(False, hidden=(40,), dense=(2,))
    assert len(ForwardNetwork(layers, weights, *STATISTICS)._dense) == 2
    layers, weights = layers_and_weights(False, hidden=(3,), dense=(50, 10))
    assert len(ForwardNetwork(layers, weights, *STATISTICS)._dense) == 1


def test_the_logistic_function_is_right_at_both_ends():
    values = np.array([-200, -3, 0, 0.5, 200], np.float32)
    expected = 1 / (1 + np.exp(-values.astype(np.float64)))
    sigmoid(values)
    np.testing.assert_allclose(values, expected, atol=1e-7)
