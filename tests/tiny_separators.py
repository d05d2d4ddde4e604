"""Small separators that are fitted in seconds, and what they are fitted on."""

import numpy as np

from sksvs.estimators import CRNSeparator, DRNNSeparator, GRUMaskSeparator
from sksvs.transforms import STFTTransformer


def analysed(X, y=None):
    """Return spectrograms; with sources the pair of both, for ``fit(*analysed(X, y))``."""
    spectrograms = STFTTransformer(n_fft=64, hop_length=32).transform(X)
    return spectrograms if y is None else (spectrograms, y)


def tiny_separator(**parameters):
    """Return a separator that is fitted in about two seconds."""
    defaults = {"hidden_layer_sizes": (6,), "max_iter": 2, "segment_frames": 32, "random_state": 0}
    return GRUMaskSeparator(**{**defaults, **parameters})


def tiny_drnn(**parameters):
    """Return a DRNNSeparator that is fitted in about two seconds."""
    defaults = {"hidden_layer_sizes": (6, 5), "max_iter": 2, "segment_frames": 32}
    return DRNNSeparator(**{**defaults, "random_state": 0, **parameters})


def tiny_crn(**parameters):
    """Return a CRNSeparator that is fitted in a few seconds."""
    defaults = {"conv_channels": (3, 4), "hidden_layer_sizes": (6,), "max_iter": 2}
    return CRNSeparator(**{**defaults, "segment_frames": 32, "random_state": 0, **parameters})


def three_sources(y):
    """Return tracks with the accompaniment split into a loud and a soft half."""
    return [np.stack([s[0], 0.7 * s[1], 0.3 * s[1]]) for s in y]
