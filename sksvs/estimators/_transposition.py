"""Show a network a song higher and lower than it is, and average what it says."""

import numpy as np

from sksvs.estimators._features import masks_from_output

FRAMES_AT_ONCE = 256  # whose masks are moved back together


class TransposedNetwork:
    """A network that is shown every song in several transpositions; its masks are their mean.

    What a network knows of one voice at one pitch it may not know at another. Shown as if it were
    sung a little higher and lower, by a longer and a shorter singer, a voice is found at one of
    these pitches where it is missed at another. The masks are moved back before they are averaged.

    Parameters
    ----------
    networks : list of ForwardNetwork, BidirectionalNetwork, ContextNetwork or ConvolutionalNetwork
        The same network, once for every transposition if it carries a state, else once.
    transpositions : sequence of float
        Factors of all frequencies.
    n_sources, n_freqs : int
    """

    def __init__(self, networks, transpositions, n_sources, n_freqs):
        self._networks, self._transpositions = networks, transpositions
        self._n_sources, self._n_freqs = n_sources, n_freqs

    @property
    def windows_at_once(self):
        """How many windows are run together, in all of their transpositions."""
        return max(1, self._networks[0].windows_at_once // len(self._transpositions))

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
        if margins:  # a network without a state
            return self._mean(self._run_windows(features, *margins))
        pairs = zip(self._networks, self._transpositions)
        return self._mean(n.run(transpose_bins(features, ratio)) for n, ratio in pairs)

    def _run_windows(self, features, margins):
        """Return the outputs of all transpositions, as many windows at a time as there can be."""
        network, outputs = self._networks[0], []
        windows = [(*w, ratio) for ratio in self._transpositions for w in zip(features, margins)]
        for i in range(0, len(windows), network.windows_at_once):
            some = windows[i : i + network.windows_at_once]
            seen = [network.project(transpose_bins(values, ratio)) for values, _, ratio in some]
            outputs.append(network.run(seen, [around for _, around, _ in some]))
        return np.split(np.concatenate(outputs), len(self._transpositions))

    def flush(self):
        """Return the output for the last frames, where the networks see frames ahead."""
        return self._mean(network.flush() for network in self._networks)

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
