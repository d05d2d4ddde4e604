"""Describe a network of GRU layers and dense layers."""

from sksvs.networks.spec import Layer


def mask_network_layers(
    n_freqs, n_masks, hidden_layer_sizes, bidirectional, dense_layer_sizes, output_activation
):
    """Return the layers of a mask network, from the input to the output.

    Parameters
    ----------
    n_freqs : int
        Frequency bins of the input and of every mask.
    n_masks : int
        Masks that the network outputs.
    hidden_layer_sizes : tuple of int
        Units of the GRU layers (of one direction).
    bidirectional : bool
    dense_layer_sizes : tuple of int
        Units of the linear layers between the GRUs and the output.
    output_activation : str

    Returns
    -------
    tuple of Layer
    """
    layers, n_inputs = [], n_freqs
    for i, units in enumerate(map(int, hidden_layer_sizes)):
        layers.append(Layer(f"gru_{i}", "gru", n_inputs, units, bidirectional=bidirectional))
        n_inputs = layers[-1].n_outputs
    for i, units in enumerate(map(int, dense_layer_sizes)):
        layers.append(Layer(f"dense_{i}", "dense", n_inputs, units, "linear"))
        n_inputs = units
    layers.append(Layer("mask", "dense", n_inputs, n_masks * n_freqs, output_activation))
    return tuple(layers)
