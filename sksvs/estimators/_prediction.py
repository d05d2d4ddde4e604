"""Run a mask network over a track of any length in bounded memory."""

import numpy as np

from sksvs._background import prefetch, thread_map
from sksvs.estimators._context_network import ContextNetwork, run_with_context
from sksvs.estimators._conv_inference import ConvolutionalNetwork
from sksvs.estimators._features import (
    from_model_bins,
    masks_from_output,
    network_input,
    to_model_bins,
)
from sksvs.estimators._inference import BidirectionalNetwork, ForwardNetwork
from sksvs.estimators._transposition import TransposedNetwork
from sksvs.spectrogram import FRAME_BLOCK

WINDOW_FRAMES = 512  # frames of output in one window of a bidirectional network
CONTEXT_FRAMES = 64  # frames that it sees on either side of them
BATCH_BYTES = 24_000_000  # of the spectra of windows that are run together, if more than one


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
    blocks = read_blocks(spectrogram, block_length(separator))
    level = spectrogram.waveform.level
    yield from masks_of_blocks(separator, spectrogram.params, level, blocks)


def block_length(separator):
    """Return how many frames a fitted separator takes at a time."""
    return WINDOW_FRAMES if separator.layers_[0].bidirectional else FRAME_BLOCK


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

    network, of_masks = build_network(separator), (separator.n_sources_, model.n_freqs)
    run = RUN[type(network)]
    if tuple(transpositions) != (1,):
        # A network that carries a state needs one for each.
        others = () if run is run_in_windows else transpositions[1:]
        networks = [network, *(build_network(separator) for _ in others)]
        network = TransposedNetwork(networks, transpositions, *of_masks)
    for block, output in run(network, blocks, make_input):
        masks = masks_from_output(output, *of_masks, separator.others_weight)
        yield block, from_model_bins(masks, params, model)


def build_network(separator):
    """Return the network of a fitted separator, at silence before the first frame."""
    first = separator.layers_[0]
    if first.kind == "context":
        kind = ContextNetwork
    elif first.kind == "encoder":
        kind = ConvolutionalNetwork
    else:
        kind = BidirectionalNetwork if first.bidirectional else ForwardNetwork
    return kind(
        separator.layers_, separator.weights_, separator.input_mean_, separator.input_scale_
    )


def run_in_blocks(network, blocks, make_input):
    """Yield the output of a network that only reads forwards, block by block.

    The blocks make no difference, as the network carries its state: the result is that of one
    pass over the whole track.

    Parameters
    ----------
    network : ForwardNetwork
    blocks : iterable of Block
    make_input : callable
        From frames of shape (n_freqs, n) to features of shape (n, n_freqs).

    Yields
    ------
    block : Block
    output : array of float32, shape (n, n_outputs)
    """
    for block in blocks:
        yield block, network.run(make_input(block.frames))


def run_in_windows(network, blocks, make_input):
    """Yield a bidirectional network's output, made in overlapping windows.

    A bidirectional network would need a whole track at once, so what it predicts is *defined*
    window by window: frames ``512 k`` to ``512 (k + 1)`` come from a pass over these and 64 more
    on either side, as far as the track goes. That does not depend on how many windows are run
    together. A track of up to 512 frames has one window, which is the pass over the whole.

    Parameters and yields as in :func:`run_in_blocks`, for a BidirectionalNetwork or a
    ConvolutionalNetwork and blocks of 512 frames, the last one of fewer.
    """

    def run_batch(batch):
        read, ranges, margins = batch
        outputs = network.run(ranges, margins)
        ends = np.cumsum([block.frames.shape[-1] for block in read])
        return list(zip(read, np.split(outputs, ends[:-1])))

    for outputs in thread_map(run_batch, _window_batches(network, blocks, make_input)):
        yield from outputs


def _window_batches(network, blocks, make_input):
    """Yield batches of windows: their blocks, what the network is run on, and the context."""
    batch, before = [], None
    for block in blocks:
        projected = network.project(make_input(block.frames))
        most = max(1, min(network.windows_at_once, BATCH_BYTES // max(1, block.frames.nbytes)))
        if len(batch) >= most:
            yield _add_context(batch, before, projected)
            batch, before = [], batch[-1][1]
        batch.append((block, projected))
    yield _add_context(batch, before, None)


def _add_context(batch, before, after):
    """Return the blocks of a batch, their projections with context, and how much that is."""
    neighbours = [before, *(projected for _, projected in batch), after]
    empty = neighbours[1][:0]
    ranges, margins = [], []
    for left, own, right in zip(neighbours, neighbours[1:], neighbours[2:]):
        left = empty if left is None else left[-CONTEXT_FRAMES:]
        right = empty if right is None else right[:CONTEXT_FRAMES]
        ranges.append(np.concatenate([left, own, right]))
        margins.append((len(left), len(right)))
    return [block for block, _ in batch], ranges, margins


RUN = {
    ForwardNetwork: run_in_blocks,
    BidirectionalNetwork: run_in_windows,
    ConvolutionalNetwork: run_in_windows,
    ContextNetwork: run_with_context,
}
