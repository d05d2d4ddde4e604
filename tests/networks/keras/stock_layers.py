"""Compare a layer of ours with the stock Keras layer that it stands for."""

import numpy as np
import tensorflow as tf

from tests.strategies import seeded_noise


def same_weights(layers, n_inputs, seed=0):
    """Build the layers with the same weights, biases that are not zero among them."""
    for layer in layers:
        layer.build((None, None, n_inputs))
        shapes = [w.shape for w in layer.weights if w.dtype == "float32"]
        layer.set_weights([0.4 * seeded_noise(s, seed + i) for i, s in enumerate(shapes)])


def outputs_and_gradients(layer, inputs, upstream, compiled=False):
    def run(inputs, upstream):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            loss = tf.reduce_sum(outputs * upstream)
        variables = [weight.value for weight in layer.trainable_weights]
        return outputs, tape.gradient(loss, [inputs, *variables])

    run = tf.function(run, jit_compile=True) if compiled else run
    outputs, gradients = run(tf.constant(inputs), tf.constant(upstream))
    return [np.array(outputs), *map(np.array, gradients)]


def assert_same(actual, expected):
    """Compare outputs and gradients within 1e-5 of the largest value, or of 1."""
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(1, np.abs(theirs).max()))
