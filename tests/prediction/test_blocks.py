"""A network is run over blocks of a track; whatever these are, the result is that of the whole."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.networks.crn import convolutional_recurrent_layers
from sksvs.networks.drnn import deep_recurrent_layers
from sksvs.networks.gru import mask_network_layers
from sksvs.networks.onnx import Network
from sksvs.prediction.masks import run_over_blocks
from tests.networks.onnx.test_onnx import features_of, random_weights, statistics

N_FREQS = 9
LAYERS = {
    "causal": mask_network_layers(N_FREQS, 1, (4, 3), False, (), "sigmoid"),
    "window of frames": deep_recurrent_layers(N_FREQS, 2, (5, 4), (1,), 7, "relu"),
    "no recurrence": deep_recurrent_layers(N_FREQS, 2, (5,), (), 3, "relu"),
    "bidirectional": mask_network_layers(N_FREQS, 1, (4,), True, (), "sigmoid"),
    "convolutional": convolutional_recurrent_layers(
        N_FREQS, 1, (2, 3), (3, 3), (3,), "sigmoid", ((2, 2),)
    ),
    "convolutional, causal": convolutional_recurrent_layers(
        *(N_FREQS, 1, (2, 3), (3, 3), (3,), "sigmoid", ((2, 2),)), bidirectional=False
    ),
}


def run(kind, lengths):
    """Return the output for noise that comes in blocks of these lengths."""
    layers = LAYERS[kind]
    network = Network(layers, random_weights(layers), *statistics(layers))
    features = features_of(layers, sum(lengths))
    ends = np.cumsum(lengths)[:-1]
    blocks = [SimpleNamespace(frames=part.T) for part in np.split(features, ends)]
    ran = list(run_over_blocks(network, iter_of(blocks), np.transpose))
    assert [block for block, _ in ran] == blocks
    assert [len(output) for _, output in ran] == list(lengths)
    return np.concatenate([output for _, output in ran])


def iter_of(blocks):
    yield from blocks


@pytest.mark.parametrize(
    "kind", ["causal", "convolutional, causal", "window of frames", "no recurrence"]
)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_blocks_make_no_difference_to_a_network_that_reads_in_order(kind, lengths):
    whole = run(kind, [sum(lengths)])
    np.testing.assert_allclose(run(kind, lengths), whole, atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("kind", ["bidirectional", "convolutional"])
def test_windows_give_what_a_pass_over_them_and_their_context_gives(kind):
    layers = LAYERS[kind]
    network = Network(layers, random_weights(layers), *statistics(layers))
    outputs, features = run(kind, [512, 512, 100]), features_of(layers, 1124)
    for start, stop in ((0, 512), (512, 1024), (1024, 1124)):
        first, last = max(0, start - 64), min(1124, stop + 64)
        expected, _ = network.run(features[first:last])
        expected = expected[start - first :][: stop - start]
        np.testing.assert_allclose(outputs[start:stop], expected, atol=1e-6)
