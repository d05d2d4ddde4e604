"""Add the layers of a network to an ONNX graph, one function a kind.

Batch normalisation, whose statistics are fixed after the fit, is folded into the kernels.
"""

from math import prod

import numpy as np

from sksvs.networks.onnx.graph import ACTIVATIONS
from sksvs.networks.spec import EPSILON

_ANY = np.iinfo(np.int64).max


def _dense(graph, values, layer, kernel, bias):
    values = graph.node("MatMul", values, graph.constant(kernel))
    values = graph.node("Add", values, graph.constant(bias))
    return graph.activate(values, layer.activation)


def _context(graph, values, layer):
    """Add a context window: concatenate the frames around every frame."""
    width = layer.units // layer.n_inputs
    axis = graph.constant([1], np.int64)
    shifted = []
    for i in range(width):
        stop = i - width + 1
        start, end = ([n] for n in (i, stop if stop < 0 else _ANY))
        ranges = (graph.constant(n, np.int64) for n in (start, end))
        shifted.append(graph.node("Slice", values, *ranges, axis))
    return graph.node("Concat", *shifted, axis=2)


def _gru(graph, values, layer, *parameters):
    """Add a GRU over frames: Keras's ``reset_after=False`` is ``linear_before_reset=0``."""
    frames_first = graph.node("Transpose", values, perm=[1, 0, 2])
    state = None if layer.bidirectional else graph.state(layer.units)
    outputs = _run_gru(graph, frames_first, parameters, state)  # frames, ways, batch, units
    outputs = graph.node("Transpose", outputs, perm=[2, 0, 1, 3])
    return graph.node("Reshape", outputs, graph.shape(0, 0, layer.n_outputs))


def _run_gru(graph, sequences, parameters, state=None):
    """Return the outputs (n_steps, n_directions, n_sequences, units) of a GRU."""
    kernels, recurrent_kernels, biases = (parameters[i::3] for i in range(3))
    kernel = graph.constant(np.stack([k.T for k in kernels]))
    recurrent_kernel = graph.constant(np.stack([k.T for k in recurrent_kernels]))
    bias = graph.constant(np.stack([np.concatenate([b, np.zeros_like(b)]) for b in biases]))
    settings = {
        "hidden_size": len(recurrent_kernels[0]),
        "linear_before_reset": 0,
        "direction": "bidirectional" if len(kernels) == 2 else "forward",
    }
    if state is None:
        return graph.node("GRU", sequences, kernel, recurrent_kernel, bias, **settings)
    before = graph.node("Reshape", state, graph.shape(1, -1, settings["hidden_size"]))
    inputs = (sequences, kernel, recurrent_kernel, bias, "", before)
    outputs, last = graph.node("GRU", *inputs, n_outputs=2, **settings)
    graph.set_next(state, last)
    return outputs


def _rnn(graph, values, layer, kernel, recurrent_kernel, bias):
    """Add a recurrent layer, ``h ← f(x W + h U + b)``, over frames."""
    frames_first = graph.node("Transpose", values, perm=[1, 0, 2])
    state = graph.state(layer.units)
    bias = np.concatenate([bias, np.zeros_like(bias)])
    parameters = (graph.constant(p[np.newaxis]) for p in (kernel.T, recurrent_kernel.T, bias))
    outputs, last = graph.node(
        *("RNN", frames_first, *parameters, "", state),
        n_outputs=2,
        hidden_size=layer.units,
        activations=[ACTIVATIONS[layer.activation]],
    )
    graph.set_next(state, last)
    outputs = graph.node("Transpose", outputs, perm=[2, 0, 1, 3])
    return graph.node("Reshape", outputs, graph.shape(0, 0, layer.units))


def _normalise_in_kernel(kernel, scale, bias, mean, variance):
    """Fold batch normalisation into a kernel; return the kernel and its bias."""
    factor = scale / np.sqrt(np.maximum(variance, 0) + np.float32(EPSILON))
    return kernel * factor, bias - mean * factor


def _convolution(graph, values, layer, kernel, *others):
    """Add an encoder, a decoder or the mask to an image (batch, channels, frames, freqs)."""
    bias = others[-1]  # of the mask; the others have scale, bias, mean and variance
    if layer.kind == "decoder":  # (frames, freqs, channels, inputs)
        kernel = kernel.swapaxes(2, 3)
    if layer.is_normalised:
        kernel, bias = _normalise_in_kernel(kernel, *others)
    stride = 1 if layer.kind == "conv_mask" else 2
    n_frames, n_freqs = kernel.shape[:2]
    n_coarse = -(-layer.n_freqs // stride)
    # As TensorFlow pads where the output is as long as the input, but for the stride.
    beyond = max((n_coarse - 1) * stride + n_freqs - layer.n_freqs, 0)
    before, after = beyond // 2, beyond - beyond // 2
    if layer.kind == "decoder":
        kernel, before, after = _even_and_odd(kernel, before)
        bias, stride = np.tile(bias, 2), 1
    margin = n_frames // 2 if layer.bidirectional else 0
    if n_frames > 1 and not layer.bidirectional:
        values = _after_last_frames(graph, values, layer)
    values = graph.node(
        *("Conv", values, graph.constant(kernel.transpose(3, 2, 0, 1)), graph.constant(bias)),
        kernel_shape=kernel.shape[:2],
        strides=[1, stride],
        pads=[margin, before, margin, after],
    )
    values = graph.activate(values, layer.activation)
    if layer.kind == "conv_mask":  # the masks side by side, each with all of its frequencies
        values = graph.node("Transpose", values, perm=[0, 2, 1, 3])
        return graph.node("Reshape", values, graph.shape(0, 0, layer.units))
    return values if layer.kind != "decoder" else _interleaved(graph, values, layer)


def _after_last_frames(graph, values, layer):
    """Prepend the frames before an image that the kernel of its first frame covers: a state."""
    shape = layer.n_channels + layer.n_skipped, layer.kernel_size[0] - 1, layer.input_shape[0]
    state = graph.state(prod(shape))
    before = graph.node("Reshape", state, graph.shape(-1, *shape))
    values = graph.node("Concat", before, values, axis=2)
    ranges = (graph.constant([n], np.int64) for n in (-shape[1], _ANY, 2))
    graph.set_next(state, graph.node("Slice", values, *ranges))
    return values


def _even_and_odd(kernel, before):
    """Return the kernel of a plain convolution that replaces a transposed one of stride two.

    In the transposed convolution, input i adds its product with tap j to output
    ``2 i + j - before``. So output ``2 m + p`` is the sum over t of input ``m + t`` times tap
    ``p + before - 2 t``: one convolution for the even outputs and one for the odd ones, stacked as
    channels, with the order of taps along frames reversed. ONNX Runtime runs it several times as
    fast as its own transposed convolution.

    Parameters
    ----------
    kernel : array, shape (frames, freqs, n_inputs, channels)
    before : int
        Outputs that would lie before the first frequency.

    Returns
    -------
    kernel : array, shape (frames, n, n_inputs, 2 * channels)
    before, after : int
        Inputs of zero on either side.
    """
    n_taps = kernel.shape[1]
    first = -((n_taps - 1 - before) // 2)  # of t, for the even outputs, which reach furthest
    last = (before + 1) // 2
    both = np.zeros((2, len(kernel), last - first + 1, *kernel.shape[2:]), np.float32)
    for odd in (0, 1):
        for t in range(first, last + 1):
            tap = odd + before - 2 * t
            if 0 <= tap < n_taps:
                both[odd, :, t - first] = kernel[::-1, tap]
    return np.concatenate(both, axis=-1), -first, last


def _interleaved(graph, values, layer):
    """Interleave even and odd outputs, which are stacked as channels, along frequencies."""
    n_coarse = -(-layer.n_freqs // 2)
    apart = graph.shape(0, 2, layer.channels, -1, n_coarse)
    values = graph.node("Reshape", values, apart)
    values = graph.node("Transpose", values, perm=[0, 2, 3, 4, 1])
    values = graph.node("Reshape", values, graph.shape(0, layer.channels, -1, 2 * n_coarse))
    if layer.n_freqs % 2 == 0:
        return values
    ranges = (graph.constant([n], np.int64) for n in (0, layer.n_freqs, 3))
    return graph.node("Slice", values, *ranges)


def _path(graph, values, layer, *parameters):
    """Add a GRU along frames or frequencies, its projection and the residual connection."""
    n_ways = len(layer.directions)
    kernel, bias = _normalise_in_kernel(*parameters[3 * n_ways :])
    along_frames = layer.kind == "frame_path"
    # (batch, channels, frames, freqs): the axis of the GRU comes first, channels last.
    order = [2, 0, 3, 1] if along_frames else [3, 0, 2, 1]
    ahead = graph.node("Transpose", values, perm=order)
    sequences = graph.node("Reshape", ahead, graph.shape(0, -1, layer.channels))
    # The state of every frequency; along frequencies, the GRU begins anew in every frame.
    state = None if layer.bidirectional else graph.state(layer.n_freqs * layer.gru_units)
    states = _run_gru(graph, sequences, parameters[: 3 * n_ways], state)
    states = graph.node("Transpose", states, perm=[0, 2, 1, 3])
    states = graph.node("Reshape", states, graph.shape(0, 0, n_ways * layer.gru_units))
    added = graph.node("MatMul", states, graph.constant(kernel))
    added = graph.node("Add", added, graph.constant(bias))
    added = graph.node("Reshape", added, graph.node("Shape", ahead))
    added = graph.node("Transpose", added, perm=[order.index(axis) for axis in range(4)])
    return graph.node("Add", values, added)


def _bottleneck(graph, values, layer, *parameters):
    """Add two dense layers along frequencies and the residual connection."""
    added = values
    for step, (kernel, scale, bias) in enumerate((parameters[:3], parameters[3:6])):
        statistics = parameters[6 + 2 * step : 8 + 2 * step]
        factor, offset = _normalise_in_kernel(np.ones_like(scale), scale, bias, *statistics)
        added = graph.node("MatMul", added, graph.constant(kernel))
        added = graph.node("Mul", added, graph.constant(factor[:, np.newaxis, np.newaxis]))
        added = graph.node("Add", added, graph.constant(offset[:, np.newaxis, np.newaxis]))
        added = graph.activate(added, "elu")
    return graph.node("Add", values, added)


def _filter_bank(graph, values, layer):
    """Multiply by the filter bank, every mask by itself."""
    n_masks = layer.n_inputs // len(layer.matrix)
    if n_masks > 1:
        values = graph.node("Reshape", values, graph.shape(0, 0, n_masks, -1))
    values = graph.node("MatMul", values, graph.constant(layer.matrix))
    return graph.node("Reshape", values, graph.shape(0, 0, layer.units))


LAYERS = {  # by kind
    "gru": _gru,
    "rnn": _rnn,
    "dense": _dense,
    "context": _context,
    "encoder": _convolution,
    "decoder": _convolution,
    "conv_mask": _convolution,
    "frequency_path": _path,
    "frame_path": _path,
    "bottleneck": _bottleneck,
    "to_bands": _filter_bank,
    "from_bands": _filter_bank,
}
