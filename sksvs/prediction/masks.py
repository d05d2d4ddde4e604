"""From the spectrogram of a track to its masks, block by block, in bounded memory."""

import os
from weakref import WeakKeyDictionary

from sksvs.networks.features import (
    from_model_bins,
    masks_from_output,
    network_input,
    to_model_bins,
)
from sksvs.networks.onnx import Network
from sksvs.prediction.drivers import block_length, run_over_blocks
from sksvs.prediction.transposition import TransposedNetwork
from sksvs.system.threads import prefetch

_networks = WeakKeyDictionary()  # by separator: its weights, and the network made from them
if hasattr(os, "register_at_fork"):
    # What another thread was running when the process was forked is of no use in the new one.
    os.register_at_fork(after_in_child=_networks.clear)


def predict_masks(separator, spectrogram):
    """Yield the masks of a track, while the next frames are read in another thread.

    Parameters
    ----------
    separator : BaseNetworkSeparator
        Fitted.
    spectrogram : Spectrogram
        Of a `Centred` waveform, of any number of channels: the network sees their mean. Of any
        sample rate.

    Yields
    ------
    block : Block
    masks : array of float32, shape (n_sources, n_freqs, n)
        For the frames of the block.
    """
    blocks = read_blocks(spectrogram, block_length(network_of(separator)))
    level = spectrogram.waveform.level
    yield from masks_of_blocks(separator, spectrogram.params, level, blocks)


def read_blocks(spectrogram, length):
    """Yield the blocks of a track, the next ones read in another thread."""
    return prefetch(spectrogram.read_block(*r) for r in spectrogram.block_ranges(length))


def masks_of_blocks(separator, params, level, blocks, transpositions=(1,)):
    """Yield the masks of a track whose blocks have been read.

    Parameters
    ----------
    separator : BaseNetworkSeparator
        Fitted.
    params : STFTParams
        Of the track.
    level : float
        Of the track.
    blocks : iterable of Block
        Of `block_length` frames.
    transpositions : sequence of float
        Factors of all frequencies: the masks are the mean of what the network gives for each.

    Yields
    ------
    block, masks
        As of :func:`predict_masks`.
    """
    model = separator.stft_params_

    def make_input(frames):
        frames = to_model_bins(frames, params, model)
        return network_input(frames, level, separator.input_power_)

    network, of_masks = network_of(separator), (separator.n_sources_, model.n_freqs)
    if tuple(transpositions) != (1,):
        network = TransposedNetwork(network, transpositions, *of_masks)
    for block, output in run_over_blocks(network, blocks, make_input):
        masks = masks_from_output(output, *of_masks, separator.others_weight)
        yield block, from_model_bins(masks, params, model)


def network_of(separator):
    """Return the network of a fitted separator, made when it is first needed.

    It is kept here and not in the separator, of which it is never a part when that is pickled,
    copied or saved.
    """
    weights, network = _networks.get(separator, (None, None))
    if weights is not separator.weights_:
        network = Network(
            separator.layers_, separator.weights_, separator.input_mean_, separator.input_scale_
        )
        _networks[separator] = separator.weights_, network
    return network
