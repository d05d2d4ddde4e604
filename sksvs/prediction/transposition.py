"""Show a network a song higher and lower than it is, and average what it says."""

import numpy as np

from sksvs.networks.features import masks_from_output

FRAMES_AT_ONCE = 256  # whose masks are moved back together


class TransposedNetwork:
    """A network that is shown every song in several transpositions; its masks are their mean.

    What a network knows of one voice at one pitch it may not know at another. Shown as if it were
    sung a little higher and lower, by a longer and a shorter singer, a voice is found at one of
    these pitches where it is missed at another. The masks are moved back before they are averaged.

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
        """Return the state before the first frame, for every transposition."""
        return [self._network.initial_state() for _ in self._transpositions]

    def run(self, features, state=()):
        """Return the mean of the masks, in the form of the output of one network, and the state.

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
        """Return the masks of the untransposed song, in the form of an output."""
        n_masks = output.shape[1] // self._n_freqs
        masks = masks_from_output(output, self._n_sources, self._n_freqs)[:n_masks]
        moved = transpose_bins(masks.transpose(2, 0, 1), 1 / ratio)
        return moved.reshape(output.shape)


def transpose_bins(values, ratio):
    """Return spectra whose frequencies are multiplied, interpolated between bins.

    Bin k of the result is what was at bin ``k / ratio``, and beyond the last bin what that one has.

    Parameters
    ----------
    values : array of float32, shape (..., n_freqs)
        Magnitudes or masks. Masks of several sources go on adding up to one.
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
