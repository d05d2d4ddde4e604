"""Build the ONNX model of a network from its layers.

It computes the same as the Keras network, from the same layers (:mod:`sksvs.networks.spec`).
"""

from sksvs.networks.onnx.graph import FEATURES, OUTPUT, Graph
from sksvs.networks.onnx.layers import LAYERS


def build_model(layers, weights, mean, scale, metadata=None):
    """Return the ONNX model of a network.

    Its input "features" has the shape (batch, n_frames, n_freqs), float32, before it is
    standardised; its "output" (batch, n_frames, n_outputs). A causal network also takes and returns
    the states of its layers, of shape (1, batch, units), as "state_0" and "next_state_0", …: zeros
    before the first frame. They are those of recurrent layers, along frames one of every frequency,
    and the last k - 1 frames of the input of a convolution over k. With a context window, the
    output has ``width - 1`` fewer frames than the input, half of them on either side.

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
    graph = Graph()
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


def _to_image(graph, values, n_channels):
    """Return (batch, channels, frames, freqs) for (batch, frames, features)."""
    values = graph.node("Reshape", values, graph.shape(0, 0, -1, n_channels))
    return graph.node("Transpose", values, perm=[0, 3, 1, 2])


def _from_image(graph, values, n_features):
    """Return (batch, frames, features) for (batch, channels, frames, freqs)."""
    values = graph.node("Transpose", values, perm=[0, 2, 3, 1])
    return graph.node("Reshape", values, graph.shape(0, 0, n_features))
