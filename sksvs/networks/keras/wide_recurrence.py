"""Run one direction of a wide GRU and its gradient, fast outside XLA.

XLA multiplies the states of a batch by a wide kernel more slowly than TensorFlow does. So the loops
here are TensorFlow's, and XLA compiles only the elementwise work of the backward steps. TensorFlow
runs the independent loops of two directions at the same time, each on a core.
"""

import tensorflow as tf

from sksvs.networks.keras.products import multiply, over_all_frames


def run_wide_recurrence(
    gates, candidates, gate_kernel, candidate_kernel, backwards, in_bfloat16=False
):
    """Run a GRU over its projected inputs.

    The equations are those of :func:`sksvs.networks.keras.gru.run_recurrence`, with ``p`` in two
    parts.

    Parameters
    ----------
    gates : tensor of float, shape (n_frames, batch, 2 * units)
        ``x W + b`` of the update and the reset gate.
    candidates : tensor of float, shape (n_frames, batch, units)
    gate_kernel : tensor of float, shape (units, 2 * units)
        The recurrent kernel of both gates.
    candidate_kernel : tensor of float, shape (units, units)
    backwards : bool
        Start from the last frame.
    in_bfloat16 : bool
        Whether products are made in bfloat16; states and gates are float32 all the same.

    Returns
    -------
    tensor of float, shape (n_frames, batch, units)
        The states, in the order of time. The gradient is written out.
    """

    @tf.custom_gradient
    def run(gates, candidates, gate_kernel, candidate_kernel):
        n_frames, batch = tf.shape(candidates)[0], tf.shape(candidates)[1]
        units = candidate_kernel.shape[0]
        start = tf.zeros([batch, units], candidates.dtype)
        to_gates, to_candidate = gate_kernel, candidate_kernel
        if in_bfloat16:  # once and not in every step
            to_gates, to_candidate = (tf.cast(x, tf.bfloat16) for x in (to_gates, to_candidate))

        def rows(width=units):
            return tf.TensorArray(
                candidates.dtype, n_frames, clear_after_read=False, element_shape=[None, width]
            )

        def frame(i):
            return n_frames - 1 - i if backwards else i

        gate_rows, candidate_rows = rows(2 * units).unstack(gates), rows().unstack(candidates)

        def step(i, before, kept):
            t = frame(i)
            both = tf.sigmoid(gate_rows.read(t) + multiply(before, to_gates, in_bfloat16))
            update, reset = tf.split(both, 2, axis=-1)
            reset_state = reset * before
            added = multiply(reset_state, to_candidate, in_bfloat16)
            candidate = tf.tanh(candidate_rows.read(t) + added)
            state = candidate + update * (before - candidate)
            values = (state, before, reset_state, update, reset, candidate)
            return i + 1, state, [array.write(t, x) for array, x in zip(kept, values)]

        _, _, kept = tf.while_loop(
            lambda i, *_: i < n_frames,
            step,
            (0, start, [rows() for _ in range(6)]),
            maximum_iterations=n_frames,
        )
        states, befores, reset_states, *activations = kept
        states = states.stack()

        def gradient(upstream):
            upstream_rows = rows().unstack(upstream)
            from_gates, from_candidate = tf.transpose(to_gates), tf.transpose(to_candidate)

            def step_back(i, d_next, d_next_gates, d_gates, d_candidates):
                t = frame(i)
                before = befores.read(t)
                update, reset, candidate = (array.read(t) for array in activations)
                d_state = (upstream_rows.read(t), d_next, d_next_gates)
                d_before, d_update, d_candidate = _through_state(d_state, before, update, candidate)
                d_before, d_both = _through_reset(
                    multiply(d_candidate, from_candidate, in_bfloat16),
                    before,
                    reset,
                    d_before,
                    d_update,
                )
                return (
                    i - 1,
                    d_before,
                    multiply(d_both, from_gates, in_bfloat16),
                    d_gates.write(t, d_both),
                    d_candidates.write(t, d_candidate),
                )

            *_, d_gates, d_candidates = tf.while_loop(
                lambda i, *_: i >= 0,
                step_back,
                (n_frames - 1, start, start, rows(2 * units), rows()),
                maximum_iterations=n_frames,
            )
            d_gates, d_candidates = d_gates.stack(), d_candidates.stack()
            # The first step starts from zeros, which add nothing to the kernel's gradient.
            earlier, later = slice(None, -1), slice(1, None)
            if backwards:
                earlier, later = later, earlier
            d_gate_kernel = over_all_frames(states[earlier], d_gates[later], in_bfloat16)
            d_candidate_kernel = over_all_frames(reset_states.stack(), d_candidates, in_bfloat16)
            return d_gates, d_candidates, d_gate_kernel, d_candidate_kernel

        return states, gradient

    return run(gates, candidates, gate_kernel, candidate_kernel)


@tf.function(jit_compile=True, autograph=False)
def _through_state(d_state, before, update, candidate):
    """Return the gradients of the state before, the update gate and the candidate.

    That of the state comes in parts; the gates and the candidate are before their activations.
    """
    d_state = tf.add_n(d_state)
    d_update = d_state * (before - candidate) * update * (1 - update)
    d_candidate = d_state * (1 - update) * (1 - candidate * candidate)
    return d_state * update, d_update, d_candidate


@tf.function(jit_compile=True, autograph=False)
def _through_reset(d_reset_state, before, reset, d_before, d_update):
    """Return the gradients of the state before and of both gates, side by side."""
    d_reset = d_reset_state * before * reset * (1 - reset)
    return d_before + d_reset_state * reset, tf.concat([d_update, d_reset], axis=-1)
