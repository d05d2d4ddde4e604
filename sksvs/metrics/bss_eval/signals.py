"""Check references and estimates, and read ranges of them as rows of samples in float64."""

from typing import Any

import numpy as np

from sksvs.audio.checks import MAX_CHANNELS
from sksvs.parameters import MAX_SOURCES


def as_sources(signals: Any, name: str, dimensions: tuple[int, ...]) -> np.ndarray:
    """Return the sources of a track as one array; raise if they do not have one usable shape.

    Parameters
    ----------
    signals : array, Sources, or list of array or Waveform
    name : str
        Their name in errors.
    dimensions : tuple of int
        The accepted numbers of axes: 2 for mono, 3 with channels.

    Returns
    -------
    array of float, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
    """
    wanted = f"(n_sources, n_samples{'[, n_channels]' if 3 in dimensions else ''})"
    if isinstance(signals, (list, tuple)) or getattr(signals, "dtype", 0) == np.object_:
        signals = list(signals)
        _require_one_shape(signals, name, wanted)
    array = np.asarray(signals)
    if array.ndim not in dimensions:
        stereo = " Average the channels of stereo sources, or use bss_eval_images."
        remedy = stereo if array.ndim == 3 else ""
        raise ValueError(f"{name} must have shape {wanted}; got {array.shape}.{remedy}")
    n_sources, n_samples, n_channels = (*array.shape, 1)[:3]
    # An array of more sources or channels than these has time on another axis.
    too_many = n_sources > MAX_SOURCES or n_channels > MAX_CHANNELS
    if too_many or 1 < n_samples < max(n_sources, n_channels):
        of_channels = f" of {n_channels} channels" if array.ndim == 3 else ""
        raise ValueError(
            f"{name} must have shape {wanted}; got {array.shape}, which is {n_sources} source(s)"
            f"{of_channels} with {n_samples} sample(s). Transpose them: time is the second axis."
        )
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def _require_one_shape(signals, name, wanted):
    """Raise if the signals of a list differ in shape: NumPy makes no array of them."""
    shapes = []
    for signal in signals:
        try:
            shapes.append(np.shape(signal))
        except ValueError:  # a list of lists of unequal lengths
            shapes.append("none: it is ragged")
        if shapes[-1] != shapes[0] or isinstance(shapes[-1], str):
            raise ValueError(
                f"{name} must have one shape {wanted}, but the shape of source 0 is {shapes[0]}, "
                f"and that of source {len(shapes) - 1} is {shapes[-1]}. Cut them to one length."
            )


class Signals:
    """The channels of all references, then of all estimates, as rows; nothing is copied.

    Parameters
    ----------
    references, estimates : list of array of float, each (n_samples,) or (n_samples, n_channels)
        Of one shape.
    """

    def __init__(self, references, estimates):
        self._signals = [x if x.ndim == 2 else x[:, np.newaxis] for x in [*references, *estimates]]
        self.n_references = len(references)
        self.n_samples, self.n_channels = self._signals[0].shape
        self.n_rows = len(self._signals) * self.n_channels

    def read(self, start, stop):
        """Return samples of all rows: float64, shape (n_rows, stop - start)."""
        samples = np.empty((self.n_rows, stop - start))
        for i, signal in enumerate(self._signals):
            samples[i * self.n_channels : (i + 1) * self.n_channels] = signal[start:stop].T
        return samples

    def reference_rows(self, index=None):
        """Return the slice of rows of one reference, or of all."""
        first, last = (0, self.n_references) if index is None else (index, index + 1)
        return slice(first * self.n_channels, last * self.n_channels)

    def estimate_rows(self, index):
        """Return the slice of rows of one estimate."""
        return self.reference_rows(self.n_references + index)


def signal_energy(signal):
    """Return the sum of the squared samples of an array, in float64, without a copy of it.

    Zero means silence; inf or NaN, that samples are not finite or too large to be squared.
    """
    axes = list(range(signal.ndim))
    return float(np.einsum(signal, axes, signal, axes, [], dtype=np.float64))
