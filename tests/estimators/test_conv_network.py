"""The NumPy pass of convolutional recurrent networks is Keras's, whatever the sizes."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.estimators import _conv_inference
from sksvs.estimators._architecture import ConvLayer, PathLayer, convolutional_recurrent_layers
from sksvs.estimators._conv_inference import Convolution, ConvolutionalNetwork, Path
from sksvs.estimators._conv_layers import ConvolutionLayer, PathRecurrence
from sksvs.estimators._network import (
    build_network,
    get_weights,
    initial_weights,
    set_weights,
)
from tests.strategies import seeded_noise


def make_layers(
    n_freqs=33, n_masks=1, channels=(4, 6, 5), kernel_size=(3, 5), hidden=(7,), paths=()
):
    return convolutional_recurrent_layers(
        n_freqs, n_masks, channels, kernel_size, hidden, "sigmoid", paths
    )


BETWEEN = {  # what is between encoders and decoders
    "GRU": {},
    "dual paths": {"hidden": (), "paths": ((4, 5), (3, 6))},
    "both": {"hidden": (7, 6), "paths": ((4, 5),)},
}


def random_weights(layers):
    """Return weights that leave the outputs far from both ends; variances are positive."""
    return {
        name: np.abs(values) + 0.5 if name.endswith("/variance") else values
        for name, values in (
            (name, seeded_noise(shape, i, 0.3).astype(np.float32))
            for i, (name, shape) in enumerate(
                (name, shape) for layer in layers for name, shape in layer.parameter_shapes.items()
            )
        )
    }


def run(layers, weights, ranges, margins=None):
    n_freqs = layers[0].n_inputs
    statistics = np.zeros(n_freqs, np.float32), np.ones(n_freqs, np.float32)
    network = ConvolutionalNetwork(layers, weights, *statistics)
    projected = [network.project(values) for values in ranges]
    return network.run(projected, margins or [(0, 0)] * len(ranges))


@pytest.mark.parametrize("kernel_size", [(1, 3), (3, 3), (5, 7)])
@pytest.mark.parametrize(("n_freqs", "n_masks"), [(33, 1), (40, 3), (19, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("between", BETWEEN)
def test_numpy_computes_what_keras_computes(kernel_size, n_freqs, n_masks, between):
    layers = make_layers(n_freqs, n_masks, kernel_size=kernel_size, **BETWEEN[between])
    weights, model = random_weights(layers), build_network(layers, dropout=0.5)
    set_weights(model, layers, weights)
    features = seeded_noise((40, n_freqs), seed=1).astype(np.float32)
    (expected,) = model.predict_on_batch(features[np.newaxis])
    actual = run(layers, weights, [features])
    assert actual.dtype == np.float32 and actual.std() > 0.01
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
@settings(max_examples=25, deadline=None)
@given(
    n_freqs=st.integers(1, 40),
    frames=st.sampled_from([1, 3, 5]),
    freqs=st.sampled_from([1, 3, 5, 7]),
    n_frames=st.integers(1, 40),
)
def test_a_convolution_is_that_of_tensorflow(kind, n_freqs, frames, freqs, n_frames):
    layer = ConvLayer("c", kind, n_freqs, 2, 1, 4, (frames, freqs), "linear")
    shapes = layer.parameter_shapes
    kernel = seeded_noise(shapes["c/kernel"], 1).astype(np.float32)
    unit = np.ones(4, np.float32), *np.zeros((2, 4), np.float32), np.full(4, 0.999, np.float32)
    n_seen = n_freqs if kind == "encoder" else -(-n_freqs // 2)
    values = seeded_noise((n_frames, n_seen, 3), 2).astype(np.float32)
    if kind == "encoder":
        (expected,) = tf.nn.conv2d(values[np.newaxis], kernel, [1, 1, 2, 1], "SAME").numpy()
    else:
        shape = (1, n_frames, n_freqs, 4)
        (expected,) = tf.nn.conv2d_transpose(
            values[np.newaxis], kernel, shape, [1, 1, 2, 1], "SAME"
        ).numpy()
    np.testing.assert_allclose(Convolution(layer, kernel, *unit).run(values), expected, atol=1e-4)


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("margins", [(0, 0), (2, 3), (30, 9)])
def test_margins_are_read_and_left_out(margins, between):
    layers = make_layers(**BETWEEN[between])
    weights, features = random_weights(layers), seeded_noise((60, 33), 1).astype(np.float32)
    whole = run(layers, weights, [features])
    inner = run(layers, weights, [features, features[:50]], [margins, (0, 50)])
    before, after = margins
    np.testing.assert_allclose(inner, whole[before : 60 - after], atol=1e-6)


@pytest.mark.parametrize("between", BETWEEN)
def test_ranges_of_different_lengths_do_not_influence_one_another(between):
    layers = make_layers(**BETWEEN[between])
    weights, features = random_weights(layers), seeded_noise((60, 33), 1).astype(np.float32)
    parts = [features[:7], features[7:50], features[50:]]
    together = run(layers, weights, parts)
    alone = np.concatenate([run(layers, weights, [part]) for part in parts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("between", BETWEEN)
def test_weights_come_back_as_they_were_set_and_are_counted(between):
    layers = make_layers(**BETWEEN[between])
    weights, model = random_weights(layers), build_network(layers, dropout=0.0)
    set_weights(model, layers, weights)
    for name, values in get_weights(model, layers).items():
        np.testing.assert_array_equal(values, weights[name])
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert sum(layer.n_params for layer in layers) == trainable < model.count_params()


def test_new_weights_normalise_to_what_they_are_given():
    weights = initial_weights(make_layers(), seed=0)
    for i in range(3):
        for name, value in (("scale", 1), ("bias", 0), ("mean", 0), ("variance", 1)):
            assert np.all(weights[f"decoder_{i}/{name}"] == value)
    assert set(weights) == {k for layer in make_layers() for k in layer.parameter_shapes}
    assert "mask/scale" not in weights and weights["encoder_0/kernel"].std() > 0


def test_a_training_pass_normalises_by_the_batch_and_keeps_running_statistics():
    layers = make_layers()
    model = build_network(layers, dropout=0.0)
    set_weights(model, layers, initial_weights(layers, seed=0))
    features = 3 + seeded_noise((2, 50, 33), 1).astype(np.float32)
    encoder = model.get_layer("encoder_0")
    normalised = encoder(features[..., np.newaxis], training=True).numpy()
    linear = np.where(normalised < 0, np.log1p(np.maximum(normalised, -1 + 1e-7)), normalised)
    np.testing.assert_allclose(linear.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(linear.std(axis=(0, 1, 2)), 1, atol=1e-2)
    for _ in range(100):
        encoder(features[..., np.newaxis], training=True)
    predicted = encoder(features[..., np.newaxis], training=False).numpy()
    np.testing.assert_allclose(predicted, normalised, atol=5e-3)


def test_a_layer_is_made_again_from_its_configuration():
    for layer in make_layers(**BETWEEN["both"]):
        if not isinstance(layer, (ConvLayer, PathLayer)):
            continue
        kind = ConvolutionLayer if isinstance(layer, ConvLayer) else PathRecurrence
        configuration = json.loads(json.dumps(kind(layer).get_config()))
        again = kind.from_config(configuration)
        assert again.layer == layer and again.name == layer.name


def run_path(layer, weights, values):
    parameters = [weights[name] for name in layer.parameter_shapes]
    return Path(layer, *parameters).run(values)


def test_a_path_reads_along_its_own_axis_alone():
    values = seeded_noise((9, 6, 4), 1).astype(np.float32)
    for kind, along in (("frame_path", 0), ("frequency_path", 1)):
        layer = PathLayer("p", kind, 6, 4, 5)
        weights = random_weights([layer])
        changed = values.copy()
        changed[4, 2] += 1
        difference = run_path(layer, weights, changed) - run_path(layer, weights, values)
        reached = np.abs(difference).max(axis=-1) > 1e-6
        expected = np.zeros((9, 6), bool)
        expected[(slice(None), 2) if along == 0 else (4, slice(None))] = True
        np.testing.assert_array_equal(reached, expected)


def test_a_path_adds_a_stock_gru_and_dense_layer_to_its_input():
    layer = PathLayer("p", "frame_path", 3, 4, 5)
    weights = random_weights([layer])
    stock = tf.keras.layers.Bidirectional(
        tf.keras.layers.GRU(5, return_sequences=True, reset_after=False)
    )
    values = seeded_noise((7, 3, 4), 1).astype(np.float32)
    stock.build((None, None, 4))
    stock.set_weights([weights[name] for name in list(layer.parameter_shapes)[:6]])
    product = stock(values.swapaxes(0, 1)).numpy().swapaxes(0, 1) @ weights["p/kernel"]
    parameters = (weights[f"p/{name}"] for name in ("mean", "variance", "bias", "scale"))
    expected = values + tf.nn.batch_normalization(product, *parameters, 1e-3)
    np.testing.assert_allclose(run_path(layer, weights, values), expected, atol=1e-5)


def test_frames_of_a_long_window_are_read_together_in_parts(monkeypatch):
    layer = PathLayer("p", "frequency_path", 6, 4, 5)
    weights, values = random_weights([layer]), seeded_noise((9, 6, 4), 1).astype(np.float32)
    whole = run_path(layer, weights, values)
    monkeypatch.setattr(_conv_inference, "SEQUENCES_AT_ONCE", 2)
    np.testing.assert_allclose(run_path(layer, weights, values), whole, atol=1e-6)


def test_windows_that_are_run_together_are_as_many_as_fit():
    few, many = (
        ConvolutionalNetwork(layers, random_weights(layers), *np.ones((2, n), np.float32))
        for n, layers in ((513, make_layers(513, channels=(64, 64))), (33, make_layers()))
    )
    assert 1 <= few.windows_at_once < many.windows_at_once <= 8
