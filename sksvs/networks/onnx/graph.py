"""Build the ONNX graph of a mask network from its layers.

The graph computes the same as the Keras network, from the same layers
(:mod:`sksvs.networks.spec`). Batch normalisation, whose statistics are fixed after the fit, is
folded into the kernels.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sksvs.networks.spec import EPSILON

OPSET = 17
IR_VERSION = 8
ACTIVATIONS = {"sigmoid": "Sigmoid", "relu": "Relu", "elu": "Elu"}  # "linear": nothing
FEATURES, OUTPUT = "features", "output"
_ANY = np.iinfo(np.int64).max


def build_model(layers, weights, mean, scale, metadata=None):
    """Return the ONNX model of a network.

    Its input "features" has the shape (batch, n_frames, n_freqs), float32, before it is
    standardised; its "output" (batch, n_frames, n_outputs). A causal network also takes and returns
    the state of every recurrent layer, of shape (1, batch, units), as "state_0" and "next_state_0",
    …: zeros before the first frame. With a context window, the output has ``width - 1`` fewer
    frames than the input, half of them on either side.

    Parameters
    ----------
    layers : tuple of Layer, ConvLayer or PathLayer
    weights : dict of str to array of float32
        By parameter name, see `parameter_shapes`.
    mean, scale : array of float32, shape (n_freqs,)
        Statistics by which the input is standardised.
    metadata : dict of str to str, optional
        Stored with the model.

    Returns
    -------
    onnx.ModelProto
    """
    graph = _Graph()
    mean, scale = graph.constant(mean), graph.constant(scale)
    values = graph.node("Div", graph.node("Sub", FEATURES, mean), scale)
    skipped = []  # inputs and outputs of encoders, for the decoders
    is_image = False  # (batch, channels, frames, freqs), else (batch, frames, features)
    for layer in layers:
        parameters = [weights[name] for name in layer.parameter_shapes]
        if len(layer.input_shape) == 2 and not is_image:
            values = _to_image(graph, values, layer.input_shape[1])
        elif len(layer.input_shape) == 1 and is_image:
            values = _from_image(graph, values, layer.n_inputs)
        if layer.n_skipped:
            values = graph.node("Concat", values, skipped.pop(), axis=1)
        elif layer.kind == "encoder" and not skipped:
            skipped.append(values)
        values = LAYERS[layer.kind](graph, values, layer, *parameters)
        if layer.kind == "encoder":
            skipped.append(values)
        is_image = len(layer.input_shape) == 2 and layer.kind != "conv_mask"
    graph.node("Identity", values, output=OUTPUT)
    return graph.model(layers[0].n_inputs, layers[-1].units, metadata or {})


class _Graph:
    """Nodes, constants and states of a graph under construction."""

    def __init__(self):
        self._nodes, self._constants = [], []
        self._states = []  # (name, units)

    def constant(self, array, dtype=np.float32):
        """Add a constant; return its name."""
        name = f"constant_{len(self._constants)}"
        array = np.ascontiguousarray(array, dtype)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def shape(self, *sizes):
        """Add a shape for Reshape, in which 0 keeps a size and -1 takes the rest."""
        return self.constant(sizes, np.int64)

    def node(self, kind, *inputs, output=None, n_outputs=1, **attributes):
        """Add a node; return the name of its output, or the names of its outputs."""
        outputs = [output or f"value_{len(self._nodes)}"]
        outputs += [f"{outputs[0]}_{i}" for i in range(1, n_outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def state(self, units):
        """Add a state; return the names of its input and its output."""
        name = f"state_{len(self._states)}"
        self._states.append((name, units))
        return name, f"next_{name}"

    def activate(self, values, activation):
        """Add an activation function."""
        return values if activation == "linear" else self.node(ACTIVATIONS[activation], values)

    def model(self, n_inputs, n_outputs, metadata):
        """Return the model of all nodes."""

        def tensor(name, *shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        states = [tensor(name, 1, "batch", n) for name, n in self._states]
        next_states = [tensor(f"next_{name}", 1, "batch", n) for name, n in self._states]
        graph = helper.make_graph(
            self._nodes,
            "sksvs",
            [tensor(FEATURES, "batch", "n_frames", n_inputs), *states],
            [tensor(OUTPUT, "batch", "n_output_frames", n_outputs), *next_states],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="sksvs")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        return model


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
    before, after = state
    inputs = (sequences, kernel, recurrent_kernel, bias, "", before)
    outputs, last = graph.node("GRU", *inputs, n_outputs=2, **settings)
    graph.node("Identity", last, output=after)
    return outputs


def _rnn(graph, values, layer, kernel, recurrent_kernel, bias):
    """Add a recurrent layer, ``h ← f(x W + h U + b)``, over frames."""
    frames_first = graph.node("Transpose", values, perm=[1, 0, 2])
    before, after = graph.state(layer.units)
    bias = np.concatenate([bias, np.zeros_like(bias)])
    parameters = (graph.constant(p[np.newaxis]) for p in (kernel.T, recurrent_kernel.T, bias))
    outputs, last = graph.node(
        *("RNN", frames_first, *parameters, "", before),
        n_outputs=2,
        hidden_size=layer.units,
        activations=[ACTIVATIONS[layer.activation]],
    )
    graph.node("Identity", last, output=after)
    outputs = graph.node("Transpose", outputs, perm=[2, 0, 1, 3])
    return graph.node("Reshape", outputs, graph.shape(0, 0, layer.units))


def _to_image(graph, values, n_channels):
    """Return (batch, channels, frames, freqs) for (batch, frames, features)."""
    values = graph.node("Reshape", values, graph.shape(0, 0, -1, n_channels))
    return graph.node("Transpose", values, perm=[0, 3, 1, 2])


def _from_image(graph, values, n_features):
    """Return (batch, frames, features) for (batch, channels, frames, freqs)."""
    values = graph.node("Transpose", values, perm=[0, 2, 3, 1])
    return graph.node("Reshape", values, graph.shape(0, 0, n_features))


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
    margin = n_frames // 2
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
    kernel, bias = _normalise_in_kernel(*parameters[6:])
    along_frames = layer.kind == "frame_path"
    # (batch, channels, frames, freqs): the axis of the GRU comes first, channels last.
    order = [2, 0, 3, 1] if along_frames else [3, 0, 2, 1]
    ahead = graph.node("Transpose", values, perm=order)
    sequences = graph.node("Reshape", ahead, graph.shape(0, -1, layer.channels))
    states = _run_gru(graph, sequences, parameters[:6])
    states = graph.node("Transpose", states, perm=[0, 2, 1, 3])
    states = graph.node("Reshape", states, graph.shape(0, 0, 2 * layer.gru_units))
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
