"""References and estimates as rows of samples, one a channel, read in ranges as float64."""

import numpy as np

from sksvs.audio.checks import MAX_CHANNELS
from sksvs.parameters import MAX_SOURCES


def as_sources(signals, name, dimensions):
    """Return the sources of a track as one array; raise where they are not on one time grid.

    Parameters
    ----------
    signals : array, Sources, or list of array or Waveform
    name : str
        What errors call them.
    dimensions : tuple of int
        How many axes they may have: 2 for mono, 3 with channels.

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
    # More than these is an array that lies on its side.
    too_many = n_sources > MAX_SOURCES or n_channels > MAX_CHANNELS
    if too_many or 1 < n_samples < max(n_sources, n_channels):
        of_channels = f" of {n_channels} channels" if array.ndim == 3 else ""
        raise ValueError(
            f"{name} must have shape {wanted}; got {array.shape}, which is {n_sources} source(s)"
            f"{of_channels} with {n_samples} sample(s). Transpose them: time is the second axis."
        )
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def _require_one_shape(signals, name, wanted):
    """Refuse a list of signals of several shapes, which NumPy makes no array of."""
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
        self.n_reference_rows = self.n_references * self.n_channels
        self.reference_rows = slice(0, self.n_reference_rows)

    def read(self, start, stop):
        """Return samples of all rows: float64, shape (n_rows, stop - start)."""
        samples = np.empty((self.n_rows, stop - start))
        for i, signal in enumerate(self._signals):
            samples[i * self.n_channels : (i + 1) * self.n_channels] = signal[start:stop].T
        return samples

    def rows_of(self, index):
        """Return the slice of rows that belong to a signal: references first, then estimates."""
        return slice(index * self.n_channels, (index + 1) * self.n_channels)


def signal_energy(signal):
    """Return the sum of the squared samples over all channels, in float64, reading in blocks.

    Zero means silent; inf or NaN, that samples are not finite or too large to be squared.
    """
    total = 0.0
    for start in range(0, len(signal), 65536):
        block = np.ravel(signal[start : start + 65536]).astype(np.float64, copy=False)
        total += float(np.einsum("i,i", block, block))
    return total
