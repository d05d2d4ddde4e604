"""Run a network over the blocks of a track: in order with a state, or in overlapping windows."""

from collections import deque
from itertools import chain

import numpy as np

from sksvs.stft.spectrogram import FRAME_BLOCK
from sksvs.system.threads import thread_map

WINDOW_FRAMES = 512  # frames of output in one window of a bidirectional network
CONTEXT_FRAMES = 64  # frames that it sees on either side of them


def block_length(network):
    """Return how many frames the blocks have that a network is run over."""
    return FRAME_BLOCK if network.is_causal else WINDOW_FRAMES


def run_over_blocks(network, blocks, make_input):
    """Yield the output of a network, block by block.

    Parameters
    ----------
    network : Network or PitchShifted
    blocks : iterable of Block
        Of `block_length` frames, the last one of fewer.
    make_input : callable
        From frames of shape (n_freqs, n) to features of shape (n, n_freqs).

    Yields
    ------
    block : Block
    output : array of float32, shape (n, n_outputs)
    """
    run = run_in_order if network.is_causal else run_in_windows
    return run(network, blocks, make_input)


def run_in_order(network, blocks, make_input):
    """Yield the output of a causal network, block by block.

    The blocks make no difference, as the network carries its state: the result is that of one
    pass over the whole track. Where the network sees frames ahead, the output for a frame comes
    when these have come.

    Parameters and yields as in :func:`run_over_blocks`.
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


def run_in_windows(network, blocks, make_input):
    """Yield the output of a bidirectional network, made in overlapping windows.

    Such a network would need a whole track at once, so what it predicts is *defined* window by
    window: frames ``512 k`` to ``512 (k + 1)`` come from a pass over these and 64 more on either
    side, as far as the track goes. A track of up to 512 frames has one window, which is the pass
    over the whole. Windows are run in as many threads as there are cores, up to four.

    Parameters and yields as in :func:`run_over_blocks`.
    """

    def run(window):
        block, features, before, after = window
        output, _ = network.run(features)
        return block, output[before : len(output) - after]

    return thread_map(run, _windows(blocks, make_input))


def _windows(blocks, make_input):
    """Yield every block, its features with context, and how much that is before and after."""
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
