"""Names for the types of arguments that many functions take."""

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from sksvs.audio.sources import Sources
from sksvs.audio.waveform import Waveform

PathLike = str | os.PathLike[str]
Mixtures = Sequence[np.ndarray | Waveform]
Truth = Sequence[np.ndarray | Sources]  # the true sources of every track


class Predictor(Protocol):
    """Whatever separates tracks: separators, pipelines, searches and others."""

    def predict(self, X: Any, /) -> Sequence[np.ndarray]:
        """Return the estimates of the sources of every track."""
