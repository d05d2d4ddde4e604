"""From the spectrogram of a track to its masks, block by block, in bounded memory.

A causal network runs over the blocks in order and carries its state; a bidirectional one runs in
overlapping windows.
"""

import os
from collections import deque
from itertools import chain
from weakref import WeakKeyDictionary

import numpy as np

from sksvs.networks.features import (
    from_model_bins,
    masks_from_output,
    network_input,
    to_model_bins,
)
from sksvs.networks.onnx import Network
from sksvs.prediction.transposition import TransposedNetwork
from sksvs.system.threads import prefetch, thread_map

WINDOW_FRAMES = 512  # frames of a block: the output of one window of a bidirectional network
WINDOW_BINS = 786_432  # of a block at most: with longer windows of the STFT it has fewer frames
CONTEXT_FRAMES = 64  # frames on either side of them that such a network also sees

_networks = WeakKeyDictionary()  # by separator: its weights, and the network made from them
if hasattr(os, "register_at_fork"):
    # What another thread was running when the process was forked is of no use in the new one.
    os.register_at_fork(after_in_child=_networks.clear)


def predict_masks(separator, spectrogram):
    """Yield the masks of a track, while another thread reads the next frames.

    Parameters
    ----------
    separator : BaseNetworkSeparator
        Fitted.
    spectrogram : Spectrogram
        Of a `Centred` waveform, of any number of channels: the network sees their downmix. Of any
        sample rate.

    Yields
    ------
    block : Block
    masks : array of float32, shape (n_sources, n_freqs, n)
        For the frames of the block.
    """
    blocks = read_blocks(spectrogram)
    yield from masks_of_blocks(separator, spectrogram.params, spectrogram.waveform.level, blocks)


def read_blocks(spectrogram):
    """Yield the blocks of a track; another thread reads the next ones."""
    length = max(1, min(WINDOW_FRAMES, WINDOW_BINS // spectrogram.n_freqs))
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
        From :func:`read_blocks`.
    transpositions : sequence of float
        Factors of all frequencies, for test-time pitch shifts: the masks are the mean over them.

    Yields
    ------
    block, masks
        As of :func:`predict_masks`.
    """
    network = network_of(separator)
    if tuple(transpositions) != (1,):
        of_masks = separator.n_sources_, separator.stft_params_.n_freqs
        network = TransposedNetwork(network, transpositions, *of_masks)

    def make_input(frames):
        return to_features(separator, params, level, frames)

    for block, output in run_over_blocks(network, blocks, make_input):
        yield block, to_masks(separator, params, output)


def to_features(separator, params, level, frames):
    """Return the network's input for frames of a track with these STFT settings and this level."""
    frames = to_model_bins(frames, params, separator.stft_params_)
    return network_input(frames, level, separator.input_power_)


def to_masks(separator, params, output):
    """Return the masks of a track with these STFT settings from the network's output."""
    model = separator.stft_params_
    masks = masks_from_output(output, separator.n_sources_, model.n_freqs, separator.others_weight)
    return from_model_bins(masks, params, model)


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


def run_over_blocks(network, blocks, make_input):
    """Yield the output of a network, block by block.

    Parameters
    ----------
    network : Network or TransposedNetwork
    blocks : iterable of Block
        All of the same number of frames but the last one, which may have fewer.
    make_input : callable
        From frames of shape (n_freqs, n) to features of shape (n, n_freqs).

    Yields
    ------
    block : Block
    output : array of float32, shape (n, n_outputs)
    """
    run = _run_in_order if network.is_causal else _run_in_windows
    return run(network, blocks, make_input)


def _run_in_order(network, blocks, make_input):
    """Yield the output of a causal network, block by block.

    As the network carries its state, the result is that of one pass over the whole track, whatever
    the blocks. With a look-ahead, the output for a frame comes after the frames ahead.
    """
    state, margin = network.initial_state(), network.lookahead
    beyond = np.tile(network.beyond, (margin, 1))
    seen = beyond  # frames that the next ones have before them
    waiting, ready = deque(), []  # blocks without an output, outputs that have not been yielded
    for block in chain(blocks, [None]):
        if block is not None:
            waiting.append(block)
        seen = np.concatenate([seen, beyond if block is None else make_input(block.frames)])
        if len(seen) > 2 * margin:
            output, state = network.run(seen, state)
            ready.append(output)
            seen = seen[len(output) :]
        while waiting and (n := waiting[0].frames.shape[-1]) <= sum(map(len, ready)):
            outputs = np.concatenate(ready)
            yield waiting.popleft(), outputs[:n]
            ready = [outputs[n:]]


def _run_in_windows(network, blocks, make_input):
    """Yield the output of a bidirectional network, made in overlapping windows.

    Such a network would need a whole track at once, so its prediction is *defined* by windows:
    frames ``512 k`` to ``512 (k + 1)`` come from a pass over these and up to 64 more on either
    side. With more than 1536 frequencies, windows have so many fewer frames that memory is bounded.
    A track of up to one window is run at once. As many threads as there are cores, up to four, run
    the windows.
    """

    def run(window):
        block, features, before, after = window
        output, _ = network.run(features)
        return block, output[before : len(output) - after]

    return thread_map(run, _windows(blocks, make_input))


def _windows(blocks, make_input):
    """Yield every block, its features with context, and the lengths of the context."""
    last = None
    for block in blocks:
        features = make_input(block.frames)
        if last is None:
            before = features[:0]
        else:
            yield _window(*last, before, features[:CONTEXT_FRAMES])
            before = last[1][-CONTEXT_FRAMES:]
        last = block, features
    if last is not None:
        yield _window(*last, before, features[:0])


def _window(block, features, before, after):
    return block, np.concatenate([before, features, after]), len(before), len(after)
