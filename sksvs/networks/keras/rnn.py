"""Keras layers of the networks of Huang et al. 2014: context, wide dense layers, ReLU recurrences.

A stock `keras.layers.SimpleRNN` multiplies every frame's input within its time loop, and TensorFlow
adds up the gradient of its weights at every step. Here the loop holds one product, with the state;
the input's product and all weight gradients are one product over all frames each. Weights and
outputs are those of the stock layers.
"""

import keras
import tensorflow as tf

from sksvs.networks.keras.products import MixedPrecision, multiply_frames, over_all_frames


@keras.saving.register_keras_serializable("sksvs")
class ContextWindow(keras.layers.Layer):
    """Concatenate the frames around every frame, the earliest first; zeros beyond both ends.

    Parameters
    ----------
    width : int
        Number of frames, odd.
    """

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def call(self, sequences):
        """Return (batch, n_frames, width * n_inputs) from (batch, n_frames, n_inputs)."""
        margin, n_frames = self.width // 2, tf.shape(sequences)[1]
        padded = tf.pad(sequences, [[0, 0], [margin, margin], [0, 0]])
        shifted = [padded[:, i : i + n_frames] for i in range(self.width)]
        return tf.concat(shifted, axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output."""
        *shape, n_inputs = input_shape
        return (*shape, self.width * n_inputs)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("sksvs")
class FlatDense(MixedPrecision, keras.layers.Dense):
    """A `keras.layers.Dense` that multiplies the frames of all sequences as one matrix.

    Parameters
    ----------
    *args, mixed_precision=False, **kwargs
        Those of Dense, and whether the product is made in bfloat16 during training.
    """

    def call(self, sequences, training=False):
        """Return the outputs: (batch, n_frames, units)."""
        in_bfloat16 = bool(training and self.mixed_precision)
        return self.activation(multiply_frames(sequences, self.kernel, self.bias, in_bfloat16))


@keras.saving.register_keras_serializable("sksvs")
class ReluRNN(MixedPrecision, keras.layers.SimpleRNN):
    """A `keras.layers.SimpleRNN` with ``activation="relu"`` and ``return_sequences=True``.

    It is causal, starts from a state of zeros and has no dropout.

    Parameters
    ----------
    *args, mixed_precision=False, **kwargs
        Those of SimpleRNN, and whether the product with the input is made in bfloat16 during
        training.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Return the outputs: (batch, n_frames, units)."""
        if initial_state is not None or mask is not None:
            return super().call(sequences, initial_state, mask, training)
        cell = self.cell
        # The product comes before the transposition, which is then of the narrower array.
        in_bfloat16 = bool(training and self.mixed_precision)
        projected = multiply_frames(sequences, cell.kernel, cell.bias, in_bfloat16)
        kernel = tf.convert_to_tensor(cell.recurrent_kernel)
        outputs = run_relu_recurrence(tf.transpose(projected, [1, 0, 2]), kernel)
        return tf.transpose(outputs, [1, 0, 2])


@tf.custom_gradient
def run_relu_recurrence(projected, kernel):
    """Run ``h ← relu(p + h U)`` over projected inputs, from a state of zeros.

    Parameters
    ----------
    projected : tensor of float, shape (n_frames, batch, units)
        ``p = x W + b``.
    kernel : tensor of float, shape (units, units)
        U.

    Returns
    -------
    tensor of float, shape (n_frames, batch, units)
        The states h. The gradient is written out: see the function within.
    """
    n_frames, batch = tf.shape(projected)[0], tf.shape(projected)[1]
    units = kernel.shape[0]
    start = tf.zeros([batch, units], projected.dtype)

    def rows():
        return tf.TensorArray(
            projected.dtype, n_frames, clear_after_read=False, element_shape=[None, units]
        )

    inputs = rows().unstack(projected)

    def step(i, state, kept):
        state = tf.nn.relu(inputs.read(i) + state @ kernel)
        return i + 1, state, kept.write(i, state)

    _, _, kept = tf.while_loop(
        lambda i, *_: i < n_frames, step, (0, start, rows()), maximum_iterations=n_frames
    )
    states = kept.stack()

    def gradient(upstream):
        """Go back through time: ``g ← (upstream + g Uᵀ) ⊙ [h > 0]``."""
        upstream_rows, from_next = rows().unstack(upstream), tf.transpose(kernel)

        def step_back(i, d_state, d_inputs):
            d_sum = tf.where(kept.read(i) > 0, upstream_rows.read(i) + d_state, 0)
            return i - 1, d_sum @ from_next, d_inputs.write(i, d_sum)

        *_, d_inputs = tf.while_loop(
            lambda i, *_: i >= 0,
            step_back,
            (n_frames - 1, start, rows()),
            maximum_iterations=n_frames,
        )
        d_inputs = d_inputs.stack()
        # The first step starts from zeros, which add nothing to the kernel's gradient.
        return d_inputs, over_all_frames(states[:-1], d_inputs[1:])

    return states, gradient
