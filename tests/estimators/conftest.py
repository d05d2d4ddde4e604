"""Small fitted separators that several tests look at: fitting is what takes the time."""

import numpy as np
import pytest

from sksvs.estimators import CRNSeparator, DRNNSeparator, GRUMaskSeparator
from sksvs.transforms import STFTTransformer
from tests.strategies import tiny_tracks


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


@pytest.fixture(scope="session")
def tracks():
    """Return ``(X, y)`` of three short songs."""
    return tiny_tracks(3)


@pytest.fixture(scope="session", params=["forwards", "both ways", "three sources", "DRNN", "CRN"])
def fitted(request, tracks):
    """Return a fitted separator of each kind, which tests must not change."""
    X, y = tracks
    if request.param == "DRNN":
        return tiny_drnn().fit(*analysed(X, y))
    if request.param == "CRN":
        return tiny_crn().fit(*analysed(X, y))
    if request.param == "three sources":
        return tiny_separator().fit(*analysed(X, three_sources(y)))
    return tiny_separator(bidirectional=request.param == "both ways").fit(*analysed(X, y))
