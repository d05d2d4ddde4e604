"""Show a network a song higher and lower than it is, and average what it says."""

import numpy as np

from sksvs.estimators._features import masks_from_output


class TransposedNetwork:
    """A network that is shown every song in several transpositions; its masks are their mean.

    What a network knows of one voice at one pitch it may not know at another. Shown as if it were
    sung a little higher and lower, by a longer and a shorter singer, a voice is found at one of
    these pitches where it is missed at another. The masks are moved back before they are averaged.

    Parameters
    ----------
    networks : list of ForwardNetwork, BidirectionalNetwork, ContextNetwork or ConvolutionalNetwork
        The same network, once for every transposition, as some carry a state.
    transpositions : sequence of float
        Factors of all frequencies.
    n_sources, n_freqs : int
    """

    def __init__(self, networks, transpositions, n_sources, n_freqs):
        self._networks, self._transpositions = networks, transpositions
        self._n_sources, self._n_freqs = n_sources, n_freqs

    @property
    def windows_at_once(self):
        """How many windows are run together."""
        return self._networks[0].windows_at_once

    def project(self, features):
        """Return the features as they are: transpositions have nothing in common."""
        return features

    def run(self, features, *margins):
        """Return the mean of the masks, in the form of the output of one network.

        Parameters
        ----------
        features : array of float32, shape (n_frames, n_freqs), or list of such arrays
            As the network takes them, before they are standardised.
        *margins : list of (before, after)
            With a list.

        Returns
        -------
        array of float32, shape (n, n_outputs)
        """

        def outputs():
            for network, ratio in zip(self._networks, self._transpositions):
                if margins:
                    seen = [network.project(transpose_bins(part, ratio)) for part in features]
                else:
                    seen = transpose_bins(features, ratio)
                yield network.run(seen, *margins)

        return self._mean(outputs())

    def flush(self):
        """Return the output for the last frames, where the networks see frames ahead."""
        return self._mean(network.flush() for network in self._networks)

    def _mean(self, outputs):
        total = 0
        for output, ratio in zip(outputs, self._transpositions):
            masks = masks_from_output(output, self._n_sources, self._n_freqs).swapaxes(1, 2)
            n_masks = output.shape[1] // self._n_freqs
            total = total + transpose_bins(masks[:n_masks], 1 / ratio)
        total /= len(self._networks)
        return total.swapaxes(0, 1).reshape(-1, total.shape[0] * self._n_freqs)


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
