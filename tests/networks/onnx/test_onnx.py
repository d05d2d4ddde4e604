"""The ONNX graph computes what the Keras network computes, for every kind, and in blocks."""

import keras
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.networks.crn import convolutional_recurrent_layers
from sksvs.networks.drnn import deep_recurrent_layers
from sksvs.networks.gru import mask_network_layers
from sksvs.networks.keras.build import build_network
from sksvs.networks.onnx import build_model, session
from sksvs.networks.spec import is_causal
from sksvs.training.model_pool import set_weights
from tests.strategies import seeded_noise

N_FREQS = 9
sizes = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)
activations = st.sampled_from(["sigmoid", "relu", "linear"])
odd = st.sampled_from([1, 3, 5, 7])

gru_layers = st.builds(
    mask_network_layers,
    *(st.just(N_FREQS), st.integers(1, 3), sizes, st.booleans()),
    *(st.lists(st.integers(1, 6), max_size=2).map(tuple), activations),
)
deep_layers = st.builds(
    deep_recurrent_layers,
    *(st.just(N_FREQS), st.integers(1, 3), st.just((5, 4, 3))),
    *(st.sampled_from([(), (1,), (2,), (1, 3), "all"]), odd, activations),
)
conv_layers = st.builds(
    convolutional_recurrent_layers,
    *(st.integers(1, 40), st.integers(1, 2), st.sampled_from([(2,), (3, 2)]), st.tuples(odd, odd)),
    *(st.sampled_from([(), (4,), (3, 2)]), activations, st.sampled_from([(), ((2, 3),)])),
    *(st.sampled_from([None, 1, 4]), st.none(), st.booleans()),
)
bank_layers = st.builds(
    convolutional_recurrent_layers,
    *(st.integers(7, 40), st.integers(1, 3), st.just((2,)), st.just((3, 3)), st.just((3,))),
    *(activations, st.just(()), st.none(), st.sampled_from([(1, 0), (2, 3), (7, 0), (1, 6)])),
    st.booleans(),
)


def random_weights(layers, seed=0):
    rng, weights = np.random.default_rng(seed), {}
    for layer in layers:
        for name, shape in layer.parameter_shapes.items():
            if name.endswith(("/variance", "/scale")):
                weights[name] = rng.uniform(0.5, 2, shape).astype(np.float32)
            else:
                weights[name] = rng.normal(0, 0.4, shape).astype(np.float32)
    return weights


def statistics(layers):
    n_freqs = layers[0].n_inputs
    return np.full(n_freqs, 0.5, np.float32), np.linspace(0.1, 2, n_freqs, dtype=np.float32)


def features_of(layers, n_frames, seed=1):
    return seeded_noise((n_frames, layers[0].n_inputs), seed).astype(np.float32)


def run(layers, weights, features, lengths=None):
    """Return the output for features that come in parts, with the mean beyond both ends."""
    network = session.Network(layers, weights, *statistics(layers))
    beyond = np.tile(network.beyond, (network.lookahead, 1))
    padded = np.concatenate([beyond, features, beyond])
    state, outputs, start = network.initial_state(), [], 0
    for length in lengths or [len(features)]:
        part = padded[start : start + length + 2 * network.lookahead]
        output, state = network.run(part, state)
        outputs.append(output)
        start += length
    return np.concatenate(outputs)


def close_to(expected):
    return {"atol": 1e-5 * max(1.0, np.abs(expected).max())}


@pytest.mark.parametrize("kind", [gru_layers, deep_layers, conv_layers, bank_layers])
@settings(max_examples=10)
@given(data=st.data(), n_frames=st.integers(1, 30))
def test_onnx_runtime_computes_what_keras_computes(kind, data, n_frames):
    layers = data.draw(kind)
    weights, (mean, scale) = random_weights(layers), statistics(layers)
    model = build_network(layers, dropout=0.5)
    set_weights(model, layers, weights)
    features = features_of(layers, n_frames)
    standardised = ((features - mean) / scale)[np.newaxis]
    expected = np.array(model(standardised, training=False))[0]
    actual = run(layers, weights, features)
    assert (actual.dtype, actual.shape) == (np.float32, expected.shape)
    np.testing.assert_allclose(actual, expected, **close_to(expected))
    assert sum(layer.n_params for layer in layers) == sum(
        int(np.prod(weight.shape)) for weight in model.trainable_weights
    )


def test_weights_are_those_of_stock_keras_layers():
    layers = mask_network_layers(N_FREQS, 1, (6,), False, (), "sigmoid")
    weights, (mean, scale) = random_weights(layers), statistics(layers)
    stock = keras.Sequential(
        [
            keras.Input((None, N_FREQS)),
            keras.layers.GRU(6, return_sequences=True, reset_after=False),
            keras.layers.Dense(N_FREQS, "sigmoid"),
        ]
    )
    stock.set_weights(list(weights.values()))
    features = features_of(layers, 30)
    expected = stock.predict_on_batch(((features - mean) / scale)[np.newaxis])[0]
    np.testing.assert_allclose(run(layers, weights, features), expected, atol=1e-5)


causal_layers = st.one_of(
    st.builds(
        mask_network_layers,
        *(st.just(N_FREQS), st.integers(1, 2), sizes, st.just(False), st.just((4,)), activations),
    ),
    deep_layers,
    st.one_of(conv_layers, bank_layers).filter(is_causal),
)


@given(layers=causal_layers, lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_blocks_of_any_length_give_what_one_pass_gives(layers, lengths):
    weights, features = random_weights(layers), features_of(layers, sum(lengths))
    whole = run(layers, weights, features)
    parts = run(layers, weights, features, lengths)
    np.testing.assert_allclose(parts, whole, **close_to(whole))


def test_the_tracks_of_a_batch_have_states_of_their_own():
    layers = convolutional_recurrent_layers(
        *(9, 1, (2, 3), (3, 5), (3,), "sigmoid", ((2, 3),)), bidirectional=False
    )
    weights, mean_and_scale = random_weights(layers), statistics(layers)
    model = onnxruntime.InferenceSession(
        build_model(layers, weights, *mean_and_scale).SerializeToString()
    )
    features = np.stack([features_of(layers, 8, seed) for seed in (1, 2)])
    state = [np.zeros((1, 2, x.shape[2]), np.float32) for x in model.get_inputs()[1:]]
    names, outputs = [x.name for x in model.get_inputs()], []
    for part in (features[:, :5], features[:, 5:]):
        output, *state = model.run(None, dict(zip(names, [part, *state])))
        outputs.append(output)
    for actual, own in zip(np.concatenate(outputs, axis=1), features):
        np.testing.assert_allclose(actual, run(layers, weights, own), atol=1e-5)


def test_a_recurrence_has_the_activation_that_its_layer_says():
    layers = deep_recurrent_layers(N_FREQS, 1, (2,), (1,), 1, "linear")
    weights = {name: np.zeros(s) for x in layers for name, s in x.parameter_shapes.items()}
    weights["hidden_1/kernel"] = np.ones((9, 2))
    weights["hidden_1/recurrent_kernel"] = np.eye(2)
    weights["mask/kernel"][0] = 1
    mean, scale = statistics(layers)
    outputs = run(layers, weights, np.stack([mean + sign * scale for sign in (1, 1, -1, -1)]))
    np.testing.assert_allclose(outputs[:, 0], [9, 18, 9, 0], atol=1e-5)  # ReLU of the sums


def test_a_frame_depends_on_those_before_and_as_many_ahead_as_the_window_sees():
    features = features_of(mask_network_layers(N_FREQS, 1, (1,), False, (), "linear"), 20)
    changed = features.copy()
    changed[10] += 1
    for recurrent_layers, last in (((), 12), ((2,), 19)):
        layers = deep_recurrent_layers(N_FREQS, 2, (30, 30, 30), recurrent_layers, 5, "linear")
        weights = random_weights(layers)
        one, other = (run(layers, weights, x) for x in (features, changed))
        different = np.flatnonzero((one != other).any(axis=1))
        np.testing.assert_array_equal(different, np.arange(8, last + 1))


def test_execution_providers_can_be_chosen(monkeypatch):
    assert session.execution_providers() == ["CPUExecutionProvider"]
    monkeypatch.setenv(session.PROVIDERS, "NoExecutionProvider")
    with pytest.raises(ValueError, match="SKSVS_ONNX_PROVIDERS names NoExecutionProvider, which"):
        session.execution_providers()
    monkeypatch.setattr(
        session.onnxruntime, "get_available_providers", lambda: ["NoExecutionProvider"]
    )
    assert session.execution_providers() == ["NoExecutionProvider", "CPUExecutionProvider"]
