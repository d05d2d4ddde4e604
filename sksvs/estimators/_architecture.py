"""The layers of a mask network as plain facts: names, sizes, parameter shapes.

Both the Keras network that is trained and the NumPy pass that predicts are made from this one
description, so that they cannot disagree.
"""

from math import prod
from typing import NamedTuple

# Units from which both directions of a GRU are each trained in a loop of their own, outside XLA:
# in batches of 64 segments as fast as XLA at 64 units, 1.2 times as fast at 96, 1.3 times at 256.
WIDE_FROM = 96
# The same for the hidden layers of deep recurrent networks: outside XLA, three of 128 run at 0.8
# times the speed, of 512 at 0.9, of 1000 at 1.25, recurrent or not.
HIDDEN_WIDE_FROM = 768


class Layer(NamedTuple):
    """One layer: recurrent, dense on every frame, or the frames around every frame side by side.

    Recurrent are a GRU (one direction or two, concatenated) and an RNN, ``h ← f(x W + h U + b)``.
    """

    name: str
    kind: str  # "gru", "rnn", "dense" or "context"
    n_inputs: int
    units: int
    activation: str = "tanh"
    bidirectional: bool = False
    drops_inputs: bool = False  # a hidden layer of a deep recurrent network: dropout acts on it

    @property
    def is_wide(self):
        """Whether the layer trains faster outside XLA; one direction of a GRU alone does not."""
        if self.drops_inputs:
            return self.units >= HIDDEN_WIDE_FROM
        return self.bidirectional and self.units >= WIDE_FROM

    @property
    def n_outputs(self):
        """Features that leave the layer."""
        return 2 * self.units if self.bidirectional else self.units

    @property
    def parameter_shapes(self):
        """Parameter name → shape, in Keras's order; GRU gates are update, reset, candidate."""
        if self.kind == "context":
            return {}
        if self.kind in ("dense", "rnn"):
            shapes = {"kernel": (self.n_inputs, self.units)}
            if self.kind == "rnn":
                shapes["recurrent_kernel"] = (self.units, self.units)
            shapes["bias"] = (self.units,)
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
    for i, units in enumerate(map(int, hidden_layer_sizes)):
        layers.append(Layer(f"gru_{i}", "gru", n_inputs, units, bidirectional=bidirectional))
        n_inputs = layers[-1].n_outputs
    for i, units in enumerate(map(int, dense_layer_sizes)):
        layers.append(Layer(f"dense_{i}", "dense", n_inputs, units, "linear"))
        n_inputs = units
    layers.append(Layer("mask", "dense", n_inputs, n_masks * n_freqs, output_activation))
    return tuple(layers)


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
        Frames that the first one sees.
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
