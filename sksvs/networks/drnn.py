"""Describe the deep recurrent networks of Huang et al. 2014."""

from sksvs.networks.spec import Layer


def deep_recurrent_layers(
    n_freqs, n_masks, hidden_layer_sizes, recurrent_layers, context_frames, output_activation
):
    """Return the layers of a network of Huang et al. 2014, from the input to the output.

    Parameters
    ----------
    n_freqs, n_masks : int
        As in :func:`mask_network_layers`.
    hidden_layer_sizes : tuple of int
        Units of the hidden layers, which have ReLU.
    recurrent_layers : tuple of int or "all"
        Which of them are recurrent, numbered from 1.
    context_frames : int
        Width of the context window before the first one.
    output_activation : str

    Returns
    -------
    tuple of Layer
    """
    n_inputs = context_frames * n_freqs
    layers = [Layer("context", "context", n_freqs, n_inputs, "linear")]
    for i, units in enumerate(map(int, hidden_layer_sizes), start=1):
        kind = "rnn" if recurrent_layers == "all" or i in recurrent_layers else "dense"
        layers.append(Layer(f"hidden_{i}", kind, n_inputs, units, "relu", drops_inputs=True))
        n_inputs = units
    layers.append(Layer("mask", "dense", n_inputs, n_masks * n_freqs, output_activation))
    return tuple(layers)
