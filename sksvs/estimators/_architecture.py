"""The layers of a mask network as plain facts: names, sizes, parameter shapes.

Both the Keras network that is trained and the NumPy pass that predicts are made from this one
description, so that they cannot disagree.
"""

from math import prod
from typing import NamedTuple

# Units from which both directions of a GRU are each trained in a loop of their own, outside XLA:
# in batches of 64 segments as fast as XLA at 64 units, 1.2 times as fast at 96, 1.3 times at 256.
WIDE_FROM = 96


class Layer(NamedTuple):
    """One layer: a GRU (one direction or two, concatenated) or a dense layer on every frame."""

    name: str
    kind: str  # "gru" or "dense"
    n_inputs: int
    units: int
    activation: str = "tanh"
    bidirectional: bool = False

    @property
    def is_wide(self):
        """Whether the layer trains faster outside XLA; one direction alone does not."""
        return self.bidirectional and self.units >= WIDE_FROM

    @property
    def n_outputs(self):
        """Features that leave the layer."""
        return 2 * self.units if self.bidirectional else self.units

    @property
    def parameter_shapes(self):
        """Parameter name → shape, in Keras's order; GRU gates are update, reset, candidate."""
        if self.kind == "dense":
            shapes = {"kernel": (self.n_inputs, self.units), "bias": (self.units,)}
            return {f"{self.name}/{key}": shape for key, shape in shapes.items()}
        shapes = {
            "kernel": (self.n_inputs, 3 * self.units),
            "recurrent_kernel": (self.units, 3 * self.units),
            "bias": (3 * self.units,),
        }
        directions = ("forward", "backward") if self.bidirectional else ("forward",)
        return {
            f"{self.name}/{direction}/{key}": shape
            for direction in directions
            for key, shape in shapes.items()
        }

    @property
    def n_params(self):
        """Trainable parameters of the layer."""
        return sum(prod(shape) for shape in self.parameter_shapes.values())


def mask_network_layers(
    n_freqs, n_masks, hidden_layer_sizes, bidirectional, dense_layer_sizes, output_activation
):
    """Return the layers of a mask network, from the input to the output.

    Parameters
    ----------
    n_freqs : int
        Frequency bins of the input and of every mask.
    n_masks : int
        Masks that the network learns: one for two sources, else one a source.
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
    for i, units in enumerate(hidden_layer_sizes):
        layers.append(Layer(f"gru_{i}", "gru", n_inputs, units, bidirectional=bidirectional))
        n_inputs = layers[-1].n_outputs
    for i, units in enumerate(dense_layer_sizes):
        layers.append(Layer(f"dense_{i}", "dense", n_inputs, units, "linear"))
        n_inputs = units
    layers.append(Layer("mask", "dense", n_inputs, n_masks * n_freqs, output_activation))
    return tuple(layers)
