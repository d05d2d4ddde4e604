"""Keras GRU layers that train fast: big products outside the time loop.

A stock Keras GRU multiplies every frame's input within its time loop, and its backward loop adds
up a weight gradient at every step. Here the loops hold only what depends on the step before; the
product with the input and all weight gradients are one product over all frames each. Two directions
share a loop, unless they are wide. Weights, their order and outputs are those of Keras.
"""

import keras
import tensorflow as tf

from sksvs.networks import spec
from sksvs.networks.keras.products import MixedPrecision, multiply_frames, over_all_frames
from sksvs.networks.keras.wide_recurrence import run_wide_recurrence


@keras.saving.register_keras_serializable("sksvs")
class ProjectedGRU(MixedPrecision, keras.layers.GRU):
    """A `keras.layers.GRU` with ``reset_after=False`` and the standard activations.

    It starts from a state of zeros and returns all outputs in the order of computation (with
    `go_backwards`, the last frame first), as the stock layer does.

    Parameters
    ----------
    *args, mixed_precision=False, **kwargs
        Those of GRU, and whether the product with the input, and in a wide bidirectional layer
        those with the state, are made in bfloat16 during training.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Return the outputs: (batch, n_frames, units)."""
        if initial_state is not None or mask is not None:
            return super().call(sequences, initial_state, mask, training)
        outputs = _run_directions(sequences, [self], training)
        return tf.reverse(outputs, [1]) if self.go_backwards else outputs


@keras.saving.register_keras_serializable("sksvs")
class ProjectedBidirectional(keras.layers.Bidirectional):
    """A `keras.layers.Bidirectional` of two `ProjectedGRU` whose outputs are concatenated."""

    def call(self, sequences, initial_state=None, mask=None, training=None):
        """Return the outputs of both directions: (batch, n_frames, 2 * units)."""
        if initial_state is not None or mask is not None:
            return super().call(sequences, initial_state, mask, training)
        wide = self.forward_layer.units >= spec.WIDE_FROM
        run = _run_wide_directions if wide else _run_directions
        return run(sequences, [self.forward_layer, self.backward_layer], training)


def _run_directions(sequences, layers, training):
    """Return the outputs of one GRU or of two, side by side, all in the order of time."""
    projected = []
    for layer in layers:
        cell, inputs = layer.cell, sequences
        if training and cell.dropout:
            inputs = sequences * _dropout_mask(cell, sequences)
        # The product comes before the transposition, which is then of the narrower array.
        in_bfloat16 = bool(training and layer.mixed_precision)
        values = multiply_frames(inputs, cell.kernel, cell.bias, in_bfloat16)
        projected.append(tf.transpose(values, [1, 0, 2]))
    kernels = [tf.convert_to_tensor(layer.cell.recurrent_kernel) for layer in layers]
    outputs = run_in_order(projected, kernels, [layer.go_backwards for layer in layers])
    return tf.transpose(outputs, [1, 0, 2])


def run_in_order(projected, kernels, backwards):
    """Return the outputs of GRUs that run either way, side by side, all in the order of time.

    Parameters
    ----------
    projected : list of tensor of float, each (n_frames, batch, 3 * units)
        Of one GRU or of two, see :func:`run_recurrence`, in the order of time.
    kernels : list of tensor of float, each (units, 3 * units)
    backwards : list of bool
        Which of them begin with the last frame.

    Returns
    -------
    tensor of float, shape (n_frames, batch, n_directions * units)
    """
    turned = [tf.reverse(p, [0]) if back else p for p, back in zip(projected, backwards)]
    outputs = run_recurrence(tf.stack(turned, axis=1), tf.stack(kernels))
    in_order = [
        tf.reverse(outputs[:, i], [0]) if back else outputs[:, i]
        for i, back in enumerate(backwards)
    ]
    return tf.concat(in_order, axis=-1)


def _run_wide_directions(sequences, layers, training):
    """Return the outputs of `_run_directions`, with one loop a direction."""
    frames, outputs = tf.transpose(sequences, [1, 0, 2]), []
    for layer in layers:
        cell, inputs = layer.cell, frames
        if training and cell.dropout:
            inputs = frames * tf.transpose(_dropout_mask(cell, sequences), [1, 0, 2])
        kernels, recurrent_kernels, biases = (
            tf.split(tf.convert_to_tensor(weights), [2 * layer.units, layer.units], axis=-1)
            for weights in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        in_bfloat16 = bool(training and layer.mixed_precision)
        projected = (multiply_frames(inputs, *p, in_bfloat16) for p in zip(kernels, biases))
        way = layer.go_backwards, in_bfloat16
        outputs.append(run_wide_recurrence(*projected, *recurrent_kernels, *way))
    return tf.transpose(tf.concat(outputs, axis=-1), [1, 0, 2])


def _dropout_mask(cell, sequences):
    """Draw the dropout mask of a layer's inputs: (batch, 1, n_inputs), new for every call."""
    mask = cell.get_dropout_mask(sequences[:, 0, :])
    cell.reset_dropout_mask()
    # A product with the identity changes nothing, but XLA evaluates a product once and would draw
    # the mask itself again for every frame.
    return tf.matmul(mask, tf.eye(sequences.shape[-1]))[:, tf.newaxis]


@tf.custom_gradient
def run_recurrence(projected, kernels):
    """Run one or two GRUs over their projected inputs, in one loop over time.

    With gates z (update), r (reset) and candidate c, ``z, r = σ(p + h U)``,
    ``c = tanh(p_c + (r ⊙ h) U_c)``, ``h ← z ⊙ h + (1 - z) ⊙ c``, from a state of zeros.

    Parameters
    ----------
    projected : tensor of float, shape (n_frames, n_directions, batch, 3 * units)
        ``p = x W + b``, with the gates in Keras's order: update, reset, candidate.
    kernels : tensor of float, shape (n_directions, units, 3 * units)
        The recurrent kernels.

    Returns
    -------
    tensor of float, shape (n_frames, n_directions, batch, units)
        The states h. The gradient is written out: see the function within.
    """
    n_directions, units = kernels.shape[:2]
    gate_kernels, candidate_kernels = kernels[..., : 2 * units], kernels[..., 2 * units :]
    n_frames, batch = tf.shape(projected)[0], tf.shape(projected)[2]
    start = tf.zeros([n_directions, batch, units], projected.dtype)

    def rows(width):
        shape = [n_directions, None, width]
        return tf.TensorArray(projected.dtype, size=n_frames, element_shape=shape)

    inputs = rows(3 * units).unstack(projected)

    def step(i, state, states, gates):
        frame = inputs.read(i)
        update_reset = tf.sigmoid(frame[..., : 2 * units] + state @ gate_kernels)
        update, reset = update_reset[..., :units], update_reset[..., units:]
        candidate = tf.tanh(frame[..., 2 * units :] + (reset * state) @ candidate_kernels)
        state = candidate + update * (state - candidate)
        all_gates = tf.concat([update_reset, candidate], axis=-1)
        return i + 1, state, states.write(i, state), gates.write(i, all_gates)

    _, _, states, gates = tf.while_loop(
        lambda i, *_: i < n_frames,
        step,
        (0, start, rows(units), rows(3 * units)),
        maximum_iterations=n_frames,
    )
    states, gates = states.stack(), gates.stack()

    def gradient(upstream):
        """Go back through time with the gates and states of the forward loop."""
        before = tf.concat([start[tf.newaxis], states[:-1]], axis=0)
        kept = rows(3 * units).unstack(gates), rows(units).unstack(before)
        upstream_rows = rows(units).unstack(upstream)
        from_gates = tf.linalg.matrix_transpose(gate_kernels)
        from_candidates = tf.linalg.matrix_transpose(candidate_kernels)

        def step_back(i, d_next, d_inputs):
            all_gates, state = (array.read(i) for array in kept)
            update, reset, candidate = tf.split(all_gates, 3, axis=-1)
            d_state = upstream_rows.read(i) + d_next
            d_candidate = d_state * (1 - update) * (1 - candidate * candidate)
            d_update = d_state * (state - candidate) * update * (1 - update)
            d_reset_state = d_candidate @ from_candidates
            d_reset = d_reset_state * state * reset * (1 - reset)
            d_gates = tf.concat([d_update, d_reset], axis=-1)
            d_next = d_state * update + d_reset_state * reset + d_gates @ from_gates
            row = tf.concat([d_gates, d_candidate], axis=-1)
            return i - 1, d_next, d_inputs.write(i, row)

        _, _, d_inputs = tf.while_loop(
            lambda i, *_: i >= 0,
            step_back,
            (n_frames - 1, start, rows(3 * units)),
            maximum_iterations=n_frames,
        )
        d_inputs = d_inputs.stack()
        reset_states = gates[..., units : 2 * units] * before
        d_kernels = tf.concat(
            [
                _by_direction(before, d_inputs[..., : 2 * units]),
                _by_direction(reset_states, d_inputs[..., 2 * units :]),
            ],
            axis=-1,
        )
        return d_inputs, d_kernels

    return states, gradient


def _by_direction(inputs, gradients):
    """Return ``inputsᵀ gradients`` of every direction, summed over frames and batch."""
    n_directions = inputs.shape[1]
    return tf.stack([over_all_frames(inputs[:, i], gradients[:, i]) for i in range(n_directions)])
