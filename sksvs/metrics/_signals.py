"""References and estimates as rows of samples, one a channel, read in ranges as float64."""

import numpy as np


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
