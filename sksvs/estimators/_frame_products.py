"""One product of two matrices over all frames of all sequences."""

from sksvs.estimators._startup_log import without_startup_log

with without_startup_log():
    import tensorflow as tf


def multiply_frames(sequences, kernel, bias):
    """Multiply all frames by a kernel, and add a bias."""
    shape = tf.shape(sequences)
    product = tf.reshape(sequences, [-1, sequences.shape[-1]]) @ kernel
    product = tf.nn.bias_add(product, bias)
    return tf.reshape(product, [shape[0], shape[1], kernel.shape[1]])


def over_all_frames(inputs, gradients):
    """Return ``inputsᵀ gradients``, summed over frames and batch."""
    flat = [tf.reshape(x, [-1, x.shape[-1]]) for x in (inputs, gradients)]
    return tf.matmul(*flat, transpose_a=True)
