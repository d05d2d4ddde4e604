"""Run a mask network on NumPy arrays.

Prediction needs no TensorFlow: its import takes seconds, its graphs stay in memory, and a GRU of
this size spends its time in small matrix products that NumPy does as fast.
"""

import numpy as np
from scipy.special import expit

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": expit,
}


def run_network(layers, weights, features, states=None):
    """Return the output of the network and the state of every GRU after the last frame.

    Parameters
    ----------
    layers : tuple of Layer
    weights : dict of str to array of float32
        By parameter name, see `Layer.parameter_shapes`.
    features : array of float32, shape (batch, n_frames, n_freqs)
    states : list of array, shape (batch, units), optional
        One a GRU layer, of a unidirectional network; what an earlier call returned. The default
        is silence before the first frame: zeros.

    Returns
    -------
    output : array of float32, shape (batch, n_frames, n_outputs)
    states : list of array, shape (batch, units)
        Empty for a bidirectional network, which has no state to carry.
    """
    values, new_states = features, []
    for layer in layers:
        parameters = [weights[name] for name in layer.parameter_shapes]
        if layer.kind == "dense":
            kernel, bias = parameters
            values = _ACTIVATIONS[layer.activation](values @ kernel + bias)
            continue
        forward, backward = parameters[:3], parameters[3:]
        state = None if states is None else states[len(new_states)]
        outputs, state = gru(values, *forward, state)
        if backward:
            reversed_outputs, _ = gru(values[:, ::-1], *backward)
            outputs = np.concatenate([outputs, reversed_outputs[:, ::-1]], axis=-1)
        else:
            new_states.append(state)
        values = outputs
    return values, new_states


def gru(inputs, kernel, recurrent_kernel, bias, state=None):
    """Run one GRU layer over a batch of sequences.

    With update gate z, reset gate r and candidate c, as in Keras with ``reset_after=False``:
    ``z, r = σ(x W + h U + b)``, ``c = tanh(x W_c + (r ⊙ h) U_c + b_c)``,
    ``h ← z ⊙ h + (1 - z) ⊙ c``.

    Parameters
    ----------
    inputs : array of float32, shape (batch, n_frames, n_inputs)
    kernel : array of float32, shape (n_inputs, 3 * units)
    recurrent_kernel : array of float32, shape (units, 3 * units)
    bias : array of float32, shape (3 * units,)
    state : array of float32, shape (batch, units), optional
        Zeros by default.

    Returns
    -------
    outputs : array of float32, shape (batch, n_frames, units)
    state : array of float32, shape (batch, units)

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP 2014.
    """
    batch, n_frames, _ = inputs.shape
    units = len(recurrent_kernel)
    if state is None:
        state = np.zeros((batch, units), np.float32)
    gate_kernel = np.ascontiguousarray(recurrent_kernel[:, : 2 * units])
    candidate_kernel = np.ascontiguousarray(recurrent_kernel[:, 2 * units :])
    # One product over all frames, time first: every step then reads one contiguous slice.
    projected = inputs.swapaxes(0, 1) @ kernel + bias
    outputs = np.empty((n_frames, batch, units), np.float32)
    for frame, output in zip(projected, outputs):
        gates = expit(frame[:, : 2 * units] + state @ gate_kernel)
        update, reset = gates[:, :units], gates[:, units:]
        candidate = np.tanh(frame[:, 2 * units :] + (reset * state) @ candidate_kernel)
        np.add(candidate, update * (state - candidate), out=output)
        state = output
    return outputs.swapaxes(0, 1), state.copy()
