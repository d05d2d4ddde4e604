"""Describe convolutional recurrent networks."""

from sksvs.networks.filter_bank import FilterBankLayer
from sksvs.networks.spec import (
    BottleneckLayer,
    ConvLayer,
    Layer,
    PathLayer,
    halved,
)


def convolutional_recurrent_layers(
    n_freqs,
    n_masks,
    conv_channels,
    kernel_size,
    hidden_layer_sizes,
    output_activation,
    dual_path_sizes=(),
    bottleneck_factor=None,
    filter_bank=None,
    bidirectional=True,
):
    """Return the layers of a convolutional recurrent network, from the input to the output.

    Parameters
    ----------
    n_freqs, n_masks : int
        As in :func:`mask_network_layers`.
    conv_channels : tuple of int
        Channels of the encoders; each halves the frequencies. The decoders mirror them.
    kernel_size : tuple of int
        Of the convolutions, in frames and frequencies.
    hidden_layer_sizes : tuple of int
        Units of the GRU layers (of each direction) between encoders and decoders.
    output_activation : str
    dual_path_sizes : tuple of (int, int), default=()
        Of every dual-path block after them, the units of its intra-frame GRU, along frequencies,
        and of its inter-frame GRU, along frames.
    bottleneck_factor : int, optional
        After every encoder, a dense bottleneck with so many times fewer units than frequencies.
    filter_bank : (int, int), optional
        Numbers of fine and of coarse bands, in which the network works in place of bins.
    bidirectional : bool, default=True
        Whether GRUs along frames run in both directions and convolutions cover frames on both
        sides; otherwise the network is causal.

    Returns
    -------
    tuple of Layer, PathLayer, BottleneckLayer, ConvLayer and FilterBankLayer
    """
    if filter_bank is not None:
        n_fine, n_coarse = map(int, filter_bank)
        sizes = {"n_freqs": n_freqs, "n_fine": n_fine, "n_coarse": n_coarse, "n_masks": n_masks}
        inner = convolutional_recurrent_layers(
            *(n_fine + n_coarse, n_masks, conv_channels, kernel_size, hidden_layer_sizes),
            *(output_activation, dual_path_sizes, bottleneck_factor, None, bidirectional),
        )
        ends = [FilterBankLayer(kind, kind, **sizes) for kind in ("to_bands", "from_bands")]
        return (ends[0], *inner, ends[1])
    channels, kernel_size = tuple(map(int, conv_channels)), tuple(map(int, kernel_size))
    layers, finer, in_time = [], [n_freqs], {"bidirectional": bidirectional}
    for i, (before, after) in enumerate(zip((1, *channels), channels)):
        sizes = finer[i], before, 0, after, kernel_size
        layers.append(ConvLayer(f"encoder_{i}", "encoder", *sizes, **in_time))
        finer.append(halved(finer[i]))
        if bottleneck_factor is not None:
            units = max(1, finer[-1] // bottleneck_factor)
            name = f"bottleneck_{i}"
            layers.append(BottleneckLayer(name, "bottleneck", finer[-1], after, units))
    n_inputs = n_between = layers[-1].units
    for i, units in enumerate(map(int, hidden_layer_sizes)):
        layers.append(Layer(f"gru_{i}", "gru", n_inputs, units, **in_time))
        n_inputs = layers[-1].n_outputs
    if hidden_layer_sizes:
        layers.append(Layer("between", "dense", n_inputs, n_between, "elu"))
    below = channels[-1]
    for i, sizes in enumerate(dual_path_sizes):
        along_freqs, along_frames = ((finer[-1], below, int(units)) for units in sizes)
        layers.append(PathLayer(f"frequency_path_{i}", "frequency_path", *along_freqs))
        layers.append(PathLayer(f"frame_path_{i}", "frame_path", *along_frames, **in_time))
    for i in reversed(range(len(channels))):
        after = channels[max(i - 1, 0)]
        sizes = finer[i], below, channels[i], after, kernel_size
        layers.append(ConvLayer(f"decoder_{i}", "decoder", *sizes, **in_time))
        below = after
    sizes = n_freqs, below, 1, n_masks, (1, 3)
    layers.append(ConvLayer("mask", "conv_mask", *sizes, output_activation, **in_time))
    return tuple(layers)
