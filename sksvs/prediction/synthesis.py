"""Apply masks to the spectrogram of a mixture and invert it, a block at a time."""

import numpy as np

from sksvs.stft.spectrogram import Synthesis


class MaskedSynthesis:
    """Mask the complex spectrogram of a mixture and invert it, a block of frames at a time.

    Parameters
    ----------
    params : STFTParams
    n_sources : int
    masks_sum_to_one : bool
        Whether the last estimate is the rest of the mixture: it is then computed by subtraction,
        so that the estimates add up to the mixture to within rounding.
    """

    def __init__(self, params, n_sources, masks_sum_to_one):
        self._n_sources = n_sources
        self._n_inverted = n_sources - 1 if masks_sum_to_one else n_sources
        self._synthesis = Synthesis(params)

    def push(self, block, masks):
        """Return the estimates of the samples that are complete with this block.

        Parameters
        ----------
        block : Block
            The next one.
        masks : array of float32, shape (n_sources, n_freqs, n)
            Each is applied to every channel.

        Returns
        -------
        array of float32, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        """
        samples, frames = block.samples, block.frames
        if frames.ndim == 3:
            masks = masks[:, np.newaxis]
        inverted = masks[: self._n_inverted].swapaxes(-1, -2) * frames.swapaxes(-1, -2)
        estimates = np.empty((self._n_sources, *samples.shape), np.float32)
        estimates[: self._n_inverted] = self._synthesis.push(
            inverted.swapaxes(-1, -2), samples.shape[-1]
        )
        if self._n_inverted < self._n_sources:
            np.subtract(samples, estimates[0], out=estimates[-1])
            for estimate in estimates[1:-1]:
                estimates[-1] -= estimate
        return estimates if frames.ndim == 2 else estimates.swapaxes(1, 2)
