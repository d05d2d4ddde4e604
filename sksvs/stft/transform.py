"""The short-time Fourier transform and its inverse on arrays, block by block."""

import numpy as np
from scipy.fft import irfft, rfft


def analyse(samples, params):
    """Return the STFT of samples: one frame every `hop_length` of them, from the first on.

    Parameters
    ----------
    samples : array of float32, shape (..., n_samples)
        At least `n_fft` samples; those after the last full window are left out.
    params : STFTParams

    Returns
    -------
    array of complex64, shape (..., n_freqs, n_frames)
        A view of an array whose last axis is frequency.
    """
    window = params.transform.win.astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, params.n_fft, axis=-1)
    spectra = rfft(pieces[..., :: params.hop_length, :] * window, overwrite_x=True)
    return np.swapaxes(spectra, -1, -2)


class Synthesis:
    """Invert a spectrogram block by block, by overlap-add.

    Parameters
    ----------
    params : STFTParams

    Examples
    --------
    >>> from sksvs.stft import STFTParams
    >>> params = STFTParams(n_fft=4, hop_length=2, window="hann")
    >>> samples = np.arange(8, dtype=np.float32)
    >>> frames = analyse(np.pad(samples, (2, 2)), params)  # frame 0 begins 2 samples before
    >>> synthesis = Synthesis(params)
    >>> np.concatenate([synthesis.push(frames[:, :2], 2), synthesis.push(frames[:, 2:], 6)])
    array([0., 1., 2., 3., 4., 5., 6., 7.], dtype=float32)
    """

    def __init__(self, params):
        self.params = params
        self._position = params.first_sample(0)
        self._unfinished = None  # samples that the next frame overlaps

    def push(self, frames, n_samples):
        """Add the next frames; return the samples that they complete.

        Parameters
        ----------
        frames : array of complex64, shape (..., n_freqs, n_frames)
            The leading axes stay the same from block to block.
        n_samples : int
            How many samples to return: up to where the next frame begins, or to the end of the
            track.

        Returns
        -------
        array of float32, shape (..., n_samples)
        """
        n_fft, hop_length = self.params.n_fft, self.params.hop_length
        pieces = irfft(np.swapaxes(frames, -1, -2), n=n_fft)
        window = self.params.transform.dual_win.astype(np.float32)
        samples = _overlap_add(pieces, window, hop_length)
        if self._unfinished is not None:
            samples[..., : n_fft - hop_length] += self._unfinished
        finished = frames.shape[-1] * hop_length
        self._unfinished = samples[..., finished:].copy()
        before_track = max(0, -self._position)
        self._position += finished
        return samples[..., before_track : before_track + n_samples]


def _overlap_add(pieces, window, hop_length):
    """Window pieces and add them up, each `hop_length` after the one before.

    Loops over the ``n_fft / hop_length`` parts of a piece, over all pieces at once, rather than
    over pieces. (..., n, n_fft) becomes (..., n_samples).
    """
    *leading, n, n_fft = pieces.shape
    n_hops = -(-n_fft // hop_length)
    samples = np.empty((*leading, n + n_hops - 1, hop_length), pieces.dtype)
    np.multiply(pieces[..., :hop_length], window[:hop_length], out=samples[..., :n, :])
    samples[..., n:, :] = 0
    for i in range(1, n_hops):
        part = pieces[..., i * hop_length : (i + 1) * hop_length]
        part *= window[i * hop_length : (i + 1) * hop_length]
        samples[..., i : i + n, : part.shape[-1]] += part
    return samples.reshape(*leading, -1)[..., : (n - 1) * hop_length + n_fft]
