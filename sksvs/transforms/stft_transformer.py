"""Turn every waveform into a lazy spectrogram."""

from sklearn.base import BaseEstimator, TransformerMixin

from sksvs.audio.waveform import AtRate
from sksvs.parameters import check_parameters
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import check_mixtures, check_spectrograms, warn_of_assumed_rate


def _at_rate_of(waveform, params):
    try:
        return params.at_rate(waveform.sample_rate)
    except ValueError as error:
        raise ValueError(f"{waveform.name}: {error}") from error


class STFTTransformer(TransformerMixin, BaseEstimator):
    """View every waveform as a :class:`~sksvs.stft.Spectrogram`.

    No frame is computed here, so a hundred songs weigh nothing. The transformer is stateless.

    With `sample_rate` every track is analysed at its own rate, with a window and a hop that last
    as long as `n_fft` and `hop_length` do at `sample_rate`: nothing is resampled, and a separator
    fitted on songs of one rate separates songs of any, on their own time grid. A fitted pipeline
    takes it too: ``pipe.set_params(stft__sample_rate=16000)`` where the songs that it learnt from
    were known to have 16 kHz.

    Parameters
    ----------
    n_fft : int, default=1024
        Length of the window and of the transform in samples (1024: 23 ms at 44.1 kHz, 64 ms at
        16 kHz). The course report and Huang et al. 2014 use 1024.
    hop_length : int, default=512
        Samples from one frame to the next.
    window : str or tuple, default="hamming"
        What `scipy.signal.get_window` takes.
    sample_rate : int or None, default=None
        Rate in Hz at which `n_fft` and `hop_length` are given; see
        :meth:`STFTParams.at_rate <sksvs.stft.STFTParams.at_rate>` for the settings at
        others. None takes them as they are, and all tracks must have one rate.
    array_rate : int or None, default=None
        Rate in Hz of tracks that do not know their own, such as arrays. None takes `sample_rate`,
        with a warning where tracks are transformed that it is not fitted on.

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

    A second of 16 kHz and one of 44.1 kHz have the same frames, and the same bins up to 8 kHz:

    >>> from sksvs.audio import ArrayWaveform
    >>> tracks = [np.zeros(16000), ArrayWaveform(np.zeros(44100), 44100)]
    >>> stft = STFTTransformer(sample_rate=16000, array_rate=16000)
    >>> [x.shape for x in stft.transform(tracks)]
    [(513, 33), (1412, 33)]
    """

    def __init__(
        self, n_fft=1024, hop_length=512, window="hamming", sample_rate=None, array_rate=None
    ):
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.window = window
        self.sample_rate = sample_rate
        self.array_rate = array_rate

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
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None):
        """Return what `transform` does; arrays are at `sample_rate` without a warning.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
        y : ignored

        Returns
        -------
        list of Spectrogram, each (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)
        """
        self._check_parameters()
        return self._analyse(check_mixtures(X, one_rate=False))

    def transform(self, X):
        """Return a spectrogram of every track, without a target.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)

        Returns
        -------
        list of Spectrogram, each (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)

        Warns
        -----
        UserWarning
            If tracks do not know their sample rate and are taken to be at `sample_rate`, because
            there is no `array_rate`.

        Raises
        ------
        ValueError, TypeError
            If the settings have no stable inverse, a track has a wrong rank or dtype, is empty,
            without `sample_rate` has another sample rate than the others, or with it has one at
            which the window has too many samples or too few.
        """
        self._check_parameters()
        mixtures = check_mixtures(X, one_rate=False)
        if self.array_rate is None:
            warn_of_assumed_rate(mixtures, self.sample_rate)
        return self._analyse(mixtures)

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

    def _analyse(self, mixtures):
        params = self._params(self.sample_rate)
        mixtures = [self._with_rate(x) for x in mixtures]
        if self.sample_rate is not None:
            return [Spectrogram(x, _at_rate_of(x, params)) for x in mixtures]
        mixtures = check_mixtures(mixtures)
        return [Spectrogram(x, self._params(x.sample_rate)) for x in mixtures]

    def _with_rate(self, waveform):
        """Return the waveform at the rate that it is taken to have where it knows none."""
        rate = self.sample_rate if self.array_rate is None else self.array_rate
        if rate is None or waveform.sample_rate is not None:
            return waveform
        return AtRate(waveform, rate)

    def _check_parameters(self):
        check_parameters(self)
        self._params(None)  # refuses what has no inverse

    def _params(self, sample_rate):
        return STFTParams(self.n_fft, self.hop_length, self.window, sample_rate)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags
