"""Multiply all frames of all sequences as one matrix, in float32 or bfloat16."""

import tensorflow as tf


class MixedPrecision:
    """Mixin of Keras layers that can make large products in bfloat16; before the base class.

    Parameters
    ----------
    *args, mixed_precision=False, **kwargs
        Those of the layer, and whether products are made in bfloat16 during training.
    """

    def __init__(self, *args, mixed_precision=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.mixed_precision = mixed_precision

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "mixed_precision": self.mixed_precision}


def multiply_frames(sequences, kernel, bias, in_bfloat16=False):
    """Multiply all frames by a kernel, and add a bias."""
    shape = tf.shape(sequences)
    product = multiply(tf.reshape(sequences, [-1, sequences.shape[-1]]), kernel, in_bfloat16)
    product = tf.nn.bias_add(product, bias)
    return tf.reshape(product, [shape[0], shape[1], kernel.shape[1]])


def over_all_frames(inputs, gradients, in_bfloat16=False):
    """Return ``inputsᵀ gradients``, summed over frames and batch."""
    flat = [tf.reshape(x, [-1, x.shape[-1]]) for x in (inputs, gradients)]
    return multiply(*flat, in_bfloat16, transpose_a=True)


def multiply(left, right, in_bfloat16, transpose_a=False):
    """Return the product of float32 matrices, made in bfloat16 if wanted.

    A product in bfloat16 is summed up in float32; its gradients are products in bfloat16, too.
    """
    if not in_bfloat16:
        return tf.matmul(left, right, transpose_a=transpose_a)
    left, right = tf.cast(left, tf.bfloat16), tf.cast(right, tf.bfloat16)
    return tf.cast(tf.matmul(left, right, transpose_a=transpose_a), tf.float32)
