"""The layers of a mask network as plain facts: names, sizes, parameter shapes.

Both the Keras network that is trained and the ONNX graph that predicts are made from this one
description, so that they cannot disagree.
"""

from dataclasses import dataclass, field
from math import prod

# Units from which both directions of a GRU are each trained in a loop of their own, outside XLA:
# in batches of 64 segments as fast as XLA at 64 units, 1.2 times as fast at 96, 1.3 times at 256.
WIDE_FROM = 96
# The same for the hidden layers of deep recurrent networks: outside XLA, three of 128 run at 0.8
# times the speed, of 512 at 0.9, of 1000 at 1.25, recurrent or not.
HIDDEN_WIDE_FROM = 768


class LayerFacts:
    """What all layers have; a subclass has fields, and says what differs."""

    bidirectional = False
    drops_inputs = False
    is_wide = False  # whether the layer trains faster outside XLA
    n_skipped = 0  # channels from a layer further below
    n_places = 1  # at which its kernels are applied in a frame

    @property
    def input_shape(self):
        """Shape of the input of every frame."""
        return (self.n_inputs,)

    @property
    def is_causal(self):
        """Whether the output of a frame depends on this frame and those before it alone."""
        return not self.bidirectional

    @property
    def directions(self):
        """Directions in which a recurrent layer runs."""
        return ("forward", "backward") if self.bidirectional else ("forward",)

    @property
    def n_macs(self):
        """Multiply-accumulate operations of the products of a frame."""
        shapes = self.parameter_shapes.items()
        kernels = sum(prod(shape) for name, shape in shapes if name.endswith("kernel"))
        return self.n_places * kernels

    @property
    def n_params(self):
        """Trainable parameters of the layer."""
        shapes = self.parameter_shapes.items()
        return sum(prod(s) for name, s in shapes if name.rpartition("/")[2] not in NOT_TRAINED)


class ResidualLayer(LayerFacts):
    """A layer whose output is added to its input: frequencies and channels."""

    is_wide = True  # as the convolutions around it

    @property
    def input_shape(self):
        """Shape of the input of every frame: frequencies and channels."""
        return self.n_freqs, self.channels

    @property
    def units(self):
        """Number of output features of every frame."""
        return self.n_freqs * self.channels

    @property
    def n_inputs(self):
        """Number of input features of every frame."""
        return self.units


@dataclass(frozen=True)
class Layer(LayerFacts):
    """A recurrent or dense layer, or a context window.

    Recurrent layers are a GRU (one direction or two, concatenated) and an RNN,
    ``h ← f(x W + h U + b)``. A dense layer applies to every frame. A context window concatenates
    the frames around every frame.
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
        """Whether the layer trains faster outside XLA; a unidirectional GRU does not."""
        if self.drops_inputs:
            return self.units >= HIDDEN_WIDE_FROM
        return self.bidirectional and self.units >= WIDE_FROM

    @property
    def n_outputs(self):
        """Number of output features of every frame."""
        return len(self.directions) * self.units

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
        return {
            f"{self.name}/{direction}/{key}": shape
            for direction in self.directions
            for key, shape in shapes.items()
        }


@dataclass(frozen=True)
class ConvLayer(LayerFacts):
    """A convolution over frames and frequencies, with batch normalisation and an ELU.

    An "encoder" has a stride of two frequencies. A "decoder" is its transpose; its input is the
    output of the layer before and, as `n_skipped` channels, of the encoder of the same size. The
    "conv_mask" takes the network's input as such channels, and is neither normalised nor strided.
    A kernel of k frames covers a frame and (k - 1) / 2 on either side, or the k - 1 before it.
    """

    name: str
    kind: str  # "encoder", "decoder" or "conv_mask"
    n_freqs: int  # on the finer side: of an encoder's input, of a decoder's output
    n_channels: int  # from the layer below
    n_skipped: int = field()  # from the layer of the same frequencies on the way down; no default
    channels: int
    kernel_size: tuple  # frames, frequencies
    activation: str = "elu"
    bidirectional: bool = True  # whether the kernel covers frames on both sides

    is_wide = True  # XLA on processors is slow at convolutions

    @property
    def input_shape(self):
        """Shape of the input of every frame: frequencies and channels."""
        return self.n_inputs // self.n_channels, self.n_channels

    @property
    def units(self):
        """Number of output features of every frame."""
        return self.channels * (halved(self.n_freqs) if self.kind == "encoder" else self.n_freqs)

    @property
    def n_inputs(self):
        """Number of input features of every frame, without skipped ones."""
        return self.n_channels * (halved(self.n_freqs) if self.kind == "decoder" else self.n_freqs)

    @property
    def n_places(self):
        """Number of frequencies at which the kernel is applied."""
        return self.n_freqs if self.kind == "conv_mask" else halved(self.n_freqs)

    @property
    def is_normalised(self):
        """Whether every channel is normalised over the batch before the activation."""
        return self.kind != "conv_mask"

    @property
    def parameter_shapes(self):
        """Parameter name → shape, in Keras's order."""
        inward = self.n_channels + self.n_skipped
        channels = (self.channels, inward) if self.kind == "decoder" else (inward, self.channels)
        shapes = {"kernel": (*self.kernel_size, *channels)}
        names = NORMALISATION if self.is_normalised else ("bias",)
        shapes |= dict.fromkeys(names, (self.channels,))
        return {f"{self.name}/{key}": shape for key, shape in shapes.items()}


@dataclass(frozen=True)
class PathLayer(ResidualLayer):
    """A GRU along the frequencies of a frame or the frames of a frequency.

    The GRU is bidirectional or not. A linear projection maps its output back to `channels`; batch
    normalisation and a residual connection follow.
    """

    name: str
    kind: str  # "frequency_path" or "frame_path"
    n_freqs: int
    channels: int
    gru_units: int  # of each direction
    bidirectional: bool = True

    @property
    def is_causal(self):
        """Whether the output of a frame depends on this frame and those before it alone."""
        return self.kind == "frequency_path" or not self.bidirectional

    @property
    def n_places(self):
        """Number of frequencies at which the kernels are applied."""
        return self.n_freqs

    @property
    def parameter_shapes(self):
        """Parameter name → shape, in Keras's order; GRU gates are update, reset, candidate."""
        ways = {"bidirectional": self.bidirectional}
        gru = Layer(self.name, "gru", self.channels, self.gru_units, **ways)
        shapes = {"kernel": (gru.n_outputs, self.channels)}
        shapes |= dict.fromkeys(NORMALISATION, (self.channels,))
        own = {f"{self.name}/{key}": shape for key, shape in shapes.items()}
        return {**gru.parameter_shapes, **own}


@dataclass(frozen=True)
class BottleneckLayer(ResidualLayer):
    """Two dense layers along the frequencies of every channel, with a residual connection.

    The first maps `n_freqs` values to `hidden_units`, the second back; batch normalisation and an
    ELU follow each (the TDF block of Choi et al. 2020).
    """

    name: str
    kind: str  # "bottleneck"
    n_freqs: int
    channels: int
    hidden_units: int

    @property
    def n_places(self):
        """Number of channels to which the kernels are applied."""
        return self.channels

    @property
    def parameter_shapes(self):
        """Parameter name → shape, in Keras's order."""
        kernels = {"inward": (self.n_freqs, self.hidden_units)}
        kernels["outward"] = kernels["inward"][::-1]
        trained = [name for name in NORMALISATION if name not in NOT_TRAINED]
        shapes = {}
        for step, kernel in kernels.items():
            shapes[f"{step}/kernel"] = kernel
            shapes |= {f"{step}/{name}": (self.channels,) for name in trained}
        for step in kernels:
            shapes |= {f"{step}/{name}": (self.channels,) for name in NOT_TRAINED}
        return {f"{self.name}/{name}": shape for name, shape in shapes.items()}


NOT_TRAINED = ("mean", "variance")  # running statistics
NORMALISATION = ("scale", "bias", *NOT_TRAINED)
EPSILON = 1e-3  # added to variances


def is_causal(layers):
    """Return whether a network is causal and carries a state; others run in windows."""
    return all(layer.is_causal for layer in layers)


def lookahead(layers):
    """Return the number of frames on either side of a frame in the context window."""
    first = layers[0]
    return first.units // first.n_inputs // 2 if first.kind == "context" else 0


def halved(n_freqs):
    """Return the number of output frequencies of an encoder."""
    return -(-n_freqs // 2)
