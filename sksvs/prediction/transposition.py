"""Average the masks of a network over test-time pitch shifts."""

import numpy as np

from sksvs.networks.features import masks_from_output

FRAMES_AT_ONCE = 256  # whose masks are moved back together


class TransposedNetwork:
    """A network whose masks are the mean over several pitch shifts of its input.

    The bins of the input are moved up and down, together with pitches and formants; the masks are
    moved back and averaged. A voice that the network misses at one pitch may be found at another.

    Parameters
    ----------
    network : Network
    transpositions : sequence of float
        Factors of all frequencies.
    n_sources, n_freqs : int
    """

    def __init__(self, network, transpositions, n_sources, n_freqs):
        self._network, self._transpositions = network, transpositions
        self._n_sources, self._n_freqs = n_sources, n_freqs
        self.is_causal, self.lookahead = network.is_causal, network.lookahead
        self.beyond = network.beyond

    def initial_state(self):
        """Return the state before the first frame, for every pitch shift."""
        return [self._network.initial_state() for _ in self._transpositions]

    def run(self, features, state=()):
        """Return the mean of the masks, in the form of a network's output, and the state.

        Parameters and returns as in :meth:`sksvs.networks.onnx.Network.run`.
        """
        states = state or self.initial_state()
        ran = [
            self._network.run(transpose_bins(features, ratio), of_ratio)
            for ratio, of_ratio in zip(self._transpositions, states)
        ]
        return self._mean(output for output, _ in ran), [state for _, state in ran]

    def _mean(self, outputs):
        total = None
        for output, ratio in zip(outputs, self._transpositions):
            total = np.zeros_like(output) if total is None else total
            for start in range(0, len(output), FRAMES_AT_ONCE):
                part = slice(start, start + FRAMES_AT_ONCE)
                total[part] += self._moved_back(output[part], ratio)
        total /= len(self._transpositions)
        return total

    def _moved_back(self, output, ratio):
        """Return the masks at the original pitch, in the form of an output."""
        n_masks = output.shape[1] // self._n_freqs
        masks = masks_from_output(output, self._n_sources, self._n_freqs)[:n_masks]
        moved = transpose_bins(masks.transpose(2, 0, 1), 1 / ratio)
        return moved.reshape(output.shape)


def transpose_bins(values, ratio):
    """Multiply the frequencies of spectra by a factor, interpolating between bins.

    Bin k of the result is the value at bin ``k / ratio``, at most that of the last bin.

    Parameters
    ----------
    values : array of float32, shape (..., n_freqs)
        Magnitudes or masks. Masks of several sources still sum to one.
    ratio : float

    Returns
    -------
    array of float32, shape (..., n_freqs)
        `values` themselves where the ratio is 1.

    Examples
    --------
    >>> transpose_bins(np.array([0.0, 0.0, 1.0, 0.0, 0.0]), 1.5).round(2).tolist()
    [0.0, 0.0, 0.33, 1.0, 0.33]
    """
    if ratio == 1:
        return values
    places = np.minimum(np.arange(values.shape[-1]) / ratio, values.shape[-1] - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, values.shape[-1] - 1)
    share = (places - below).astype(np.float32)
    return values[..., below] * (1 - share) + values[..., above] * share
