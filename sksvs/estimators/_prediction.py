"""Run a mask network over a track of any length in bounded memory."""

from itertools import groupby

import numpy as np

from sksvs.estimators._inference import run_network

WINDOW_FRAMES = 512  # frames of output in one window of a bidirectional network
CONTEXT_FRAMES = 64  # frames that it sees on either side of them
WINDOW_BATCH = 8  # windows that are run together


def run_in_blocks(layers, weights, spectrogram, make_input):
    """Yield a unidirectional network's output, carrying its state from block to block.

    The blocks make no difference: the result is that of one pass over the whole track.

    Parameters
    ----------
    layers : tuple of Layer
    weights : dict of str to array of float32
    spectrogram : Spectrogram, mono
    make_input : callable
        From frames of shape (n_freqs, n) to features of shape (n, n_freqs).

    Yields
    ------
    start : int
        A frame.
    output : array of float32, shape (n, n_outputs)
    """
    states = None
    for start, frames in spectrogram.blocks():
        output, states = run_network(layers, weights, make_input(frames)[np.newaxis], states)
        yield start, output[0]


def run_in_windows(layers, weights, spectrogram, make_input):
    """Yield a bidirectional network's output, made in overlapping windows.

    A bidirectional network would need a whole track at once, so what it predicts is *defined*
    window by window: frames ``512 k`` to ``512 (k + 1)`` come from a pass over these and 64 more
    on either side, as far as the track goes. That does not depend on how many windows are run
    together. A track of up to 512 frames has one window, which is the pass over the whole.

    Parameters and yields as in :func:`run_in_blocks`.
    """
    n_frames = spectrogram.n_frames
    windows = [
        (
            start,
            min(start + WINDOW_FRAMES, n_frames),
            max(start - CONTEXT_FRAMES, 0),
            min(start + WINDOW_FRAMES + CONTEXT_FRAMES, n_frames),
        )
        for start in range(0, n_frames, WINDOW_FRAMES)
    ]
    for _, alike in groupby(windows, key=lambda w: (w[0] - w[2], w[3] - w[2])):
        alike = list(alike)
        for i in range(0, len(alike), WINDOW_BATCH):
            batch = alike[i : i + WINDOW_BATCH]
            first, last = batch[0][2], batch[-1][3]
            features = make_input(spectrogram.frames(first, last))
            stacked = np.stack([features[low - first : high - first] for *_, low, high in batch])
            outputs, _ = run_network(layers, weights, stacked)
            for (start, stop, low, _), output in zip(batch, outputs):
                yield start, output[start - low : stop - low]
