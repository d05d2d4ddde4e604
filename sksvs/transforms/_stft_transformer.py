"""Turn every waveform into a lazy spectrogram."""

from sklearn.base import BaseEstimator, TransformerMixin

from sksvs._tracks import check_mixtures, check_spectrograms
from sksvs.spectrogram import Spectrogram, STFTParams


class STFTTransformer(TransformerMixin, BaseEstimator):
    """View every waveform as a :class:`~sksvs.spectrogram.Spectrogram`.

    No frame is computed here, so a hundred songs weigh nothing. The transformer is stateless.

    Parameters
    ----------
    n_fft : int, default=1024
        Length of the window and of the transform in samples (1024: 23 ms at 44.1 kHz, 64 ms at
        16 kHz). The course report and Huang et al. 2014 use 1024.
    hop_length : int, default=512
        Samples from one frame to the next.
    window : str or tuple, default="hamming"
        What `scipy.signal.get_window` takes.

    Examples
    --------
    >>> import numpy as np
    >>> tracks = [np.random.default_rng(0).normal(size=2000)]
    >>> stft = STFTTransformer(n_fft=256, hop_length=128)
    >>> spectrograms = stft.fit_transform(tracks)
    >>> spectrograms[0].shape
    (129, 17)
    >>> np.allclose(stft.inverse_transform(spectrograms)[0], tracks[0], atol=1e-5)
    True
    """

    def __init__(self, n_fft=1024, hop_length=512, window="hamming"):
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.window = window

    def fit(self, X, y=None):
        """Check the settings and the tracks; there is nothing to learn.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
        y : ignored

        Returns
        -------
        self
        """
        self._params(None)
        check_mixtures(X)
        return self

    def transform(self, X):
        """Return a spectrogram of every track, without a target.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)

        Returns
        -------
        list of Spectrogram, each (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)

        Raises
        ------
        ValueError, TypeError
            If the settings have no stable inverse, a track has a wrong rank or dtype, is empty,
            or has another sample rate than the others.
        """
        return [Spectrogram(x, self._params(x.sample_rate)) for x in check_mixtures(X)]

    def inverse_transform(self, X):
        """Return the waveforms of spectrograms.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_samples,) or (n_samples, n_channels)
        """
        return [x.istft(x.stft) for x in check_spectrograms(X, self)]

    def _params(self, sample_rate):
        return STFTParams(self.n_fft, self.hop_length, self.window, sample_rate)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags
