"""Convolutional recurrent networks in Keras: weights, normalisation, paths."""

import json

import numpy as np
import pytest
import tensorflow as tf

from sksvs.networks.crn import convolutional_recurrent_layers
from sksvs.networks.keras.build import build_network
from sksvs.networks.keras.conv import ConvolutionLayer, DenseBottleneck, PathRecurrence
from sksvs.networks.spec import EPSILON, BottleneckLayer, ConvLayer, PathLayer, is_causal
from sksvs.training.model_pool import get_weights, initial_weights, set_weights
from tests.strategies import seeded_noise


def make_layers(
    n_freqs=33,
    n_masks=1,
    channels=(4, 6, 5),
    kernel_size=(3, 5),
    hidden=(7,),
    paths=(),
    bottleneck=None,
    bidirectional=True,
):
    return convolutional_recurrent_layers(
        *(n_freqs, n_masks, channels, kernel_size, hidden, "sigmoid", paths, bottleneck),
        bidirectional=bidirectional,
    )


BETWEEN = {  # what is between encoders and decoders
    "GRU": {},
    "dual paths": {"hidden": (), "paths": ((4, 5), (3, 6))},
    "both": {"hidden": (7, 6), "paths": ((4, 5),)},
    "bottlenecks": {"bottleneck": 4},
    "both, causal": {"hidden": (7, 6), "paths": ((4, 5),), "bidirectional": False},
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
    for layer in make_layers(**BETWEEN["both, causal"]):
        if not isinstance(layer, (ConvLayer, PathLayer)):
            continue
        kind = ConvolutionLayer if isinstance(layer, ConvLayer) else PathRecurrence
        configuration = json.loads(json.dumps(kind(layer).get_config()))
        again = kind.from_config(configuration)
        assert again.layer == layer and again.name == layer.name


def run_layer(kind, layer, weights, values):
    keras_layer = kind(layer)
    keras_layer.build()
    trained_first = sorted(layer.parameter_shapes, key=lambda n: n.endswith(("mean", "variance")))
    keras_layer.set_weights([weights[name] for name in trained_first])
    return keras_layer(values[np.newaxis]).numpy()[0]


def run_path(layer, weights, values):
    return run_layer(PathRecurrence, layer, weights, values)


def test_a_bottleneck_is_two_products_along_frequencies_for_every_frame_and_channel():
    layer = BottleneckLayer("b", "bottleneck", 6, 3, 2)
    weights = random_weights([layer])
    values = seeded_noise((5, 6, 3), 1).astype(np.float32)
    expected = values
    for step in ("inward", "outward"):
        scale, bias, mean, variance = (
            weights[f"b/{step}/{name}"] for name in ("scale", "bias", "mean", "variance")
        )
        product = np.einsum("tfc,fu->tuc", expected, weights[f"b/{step}/kernel"])
        normalised = (product - mean) / np.sqrt(variance + EPSILON) * scale + bias
        expected = np.where(normalised > 0, normalised, np.expm1(np.minimum(normalised, 0)))
    actual = run_layer(DenseBottleneck, layer, weights, values)
    np.testing.assert_allclose(actual, values + expected, atol=1e-5)


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


@pytest.mark.parametrize("bidirectional", [True, False])
def test_kernels_cover_frames_on_both_sides_or_those_before(bidirectional):
    for kind, n_freqs in (("encoder", 11), ("decoder", 6), ("conv_mask", 11)):
        layer = ConvLayer("c", kind, 11, 3, 0, 2, (5, 3), bidirectional=bidirectional)
        weights = random_weights([layer])
        values = seeded_noise((12, n_freqs, 3), 1).astype(np.float32)
        changed = values.copy()
        changed[5] += 1
        with_change, without = (
            run_layer(ConvolutionLayer, layer, weights, v) for v in (changed, values)
        )
        reached = np.flatnonzero(np.abs(with_change - without).reshape(12, -1).max(axis=1) > 1e-6)
        assert reached.tolist() == list(range(3, 8) if bidirectional else range(5, 10))


@pytest.mark.parametrize("kernel_size", [(1, 3), (3, 3), (3, 5)])
def test_a_causal_network_trains_and_depends_on_no_later_frame(kernel_size):
    layers = make_layers(**BETWEEN["both, causal"], kernel_size=kernel_size)
    assert is_causal(layers) and not is_causal(make_layers(**BETWEEN["both"]))
    model = build_network(layers, dropout=0.0)
    set_weights(model, layers, random_weights(layers))
    features = seeded_noise((2, 20, 33), 1).astype(np.float32)
    whole = model(features).numpy()
    for n in (1, 2, 11):
        np.testing.assert_allclose(model(features[:, :n]).numpy(), whole[:, :n], atol=1e-6)
    with tf.GradientTape() as tape:
        outputs = model(features, training=True)
    gradients = tape.gradient(outputs, model.trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_path_adds_a_stock_gru_and_dense_layer_to_its_input(bidirectional):
    layer = PathLayer("p", "frame_path", 3, 4, 5, bidirectional)
    weights = random_weights([layer])
    stock = tf.keras.layers.GRU(5, return_sequences=True, reset_after=False)
    stock = tf.keras.layers.Bidirectional(stock) if bidirectional else stock
    values = seeded_noise((7, 3, 4), 1).astype(np.float32)
    stock.build((None, None, 4))
    stock.set_weights([weights[name] for name in list(layer.parameter_shapes)[:-5]])
    product = stock(values.swapaxes(0, 1)).numpy().swapaxes(0, 1) @ weights["p/kernel"]
    parameters = (weights[f"p/{name}"] for name in ("mean", "variance", "bias", "scale"))
    expected = values + tf.nn.batch_normalization(product, *parameters, 1e-3)
    np.testing.assert_allclose(run_path(layer, weights, values), expected, atol=1e-5)
