"""Turn every waveform into a lazy spectrogram."""

from collections.abc import Sequence

import numpy as np

from sksvs.audio.checks import common_rate
from sksvs.callback_support import as_one_task
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    assume_rate,
    check_mixtures,
    check_spectrograms,
    warn_of_assumed_rate,
)
from sksvs.transforms.stateless import StatelessTransformer
from sksvs.typing import Mixtures, Truth


class STFTTransformer(StatelessTransformer):
    """View every waveform as a :class:`~sksvs.stft.Spectrogram`.

    No frame is computed here, so a hundred songs take no memory. The transformer is stateless.

    With `sample_rate` every track is analysed at its own rate, with a window and a hop of the
    duration that `n_fft` and `hop_length` have at `sample_rate`: nothing is resampled, and a
    separator fitted on songs of one rate separates songs of any rate, at that rate. The parameter
    may be set after the fit: ``pipe.set_params(stft__sample_rate=16000)``, if the training songs
    were known to have 16 kHz.

    Parameters
    ----------
    n_fft : int, default=1024
        Length of the window and of the transform in samples (1024: 23 ms at 44.1 kHz, 64 ms at
        16 kHz). The course report and Huang et al. 2014 use 1024.
    hop_length : int, default=512
        Samples from one frame to the next.
    window : str or tuple, default="hamming"
        A window as `scipy.signal.get_window` takes it.
    sample_rate : int or None, default=None
        Rate in Hz at which `n_fft` and `hop_length` are given; see
        :meth:`STFTParams.at_rate <sksvs.stft.STFTParams.at_rate>` for the settings at other
        rates. None: the same numbers of samples at any rate, and all tracks must have one rate.
    array_rate : int or None, default=None
        Rate in Hz of tracks that do not know their own, such as arrays. None assumes
        `sample_rate`; `transform`, which `predict` calls, then warns.

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
        self,
        n_fft: int = 1024,
        hop_length: int = 512,
        window: str | tuple = "hamming",
        sample_rate: int | None = None,
        array_rate: int | None = None,
    ):
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.window = window
        self.sample_rate = sample_rate
        self.array_rate = array_rate

    @as_one_task
    def fit_transform(self, X: Mixtures, y: Truth | None = None) -> list[Spectrogram]:
        """Do what `transform` does, without the warning about an assumed sample rate.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
        y : ignored

        Returns
        -------
        list of Spectrogram, each (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)
        """
        self._check_parameters()
        return self._analyse(check_mixtures(X))

    def transform(self, X: Mixtures) -> list[Spectrogram]:
        """Return a spectrogram of every track.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)

        Returns
        -------
        list of Spectrogram, each (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)

        Warns
        -----
        UserWarning
            If tracks do not know their sample rate, and `sample_rate` is assumed because there is
            no `array_rate`.

        Raises
        ------
        ValueError, TypeError
            If the settings have no stable inverse; a track is empty or has a wrong rank or dtype;
            the sample rates differ and there is no `sample_rate`; or the settings cannot be used
            at the rate of a track.
        """
        self._check_parameters()
        mixtures = check_mixtures(X)
        if self.array_rate is None:
            warn_of_assumed_rate(mixtures, self.sample_rate)
        return self._analyse(mixtures)

    def inverse_transform(self, X: Sequence[Spectrogram]) -> list[np.ndarray]:
        """Return the waveforms of spectrograms: the inverse of `transform`.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_samples,) or (n_samples, n_channels)
        """
        return [x.istft(x.stft) for x in check_spectrograms(X, self)]

    def _analyse(self, mixtures):
        mixtures = assume_rate(mixtures, self.array_rate or self.sample_rate)
        if self.sample_rate is None:
            common_rate(
                mixtures, ", or take songs of any rate with STFTTransformer(sample_rate=...)"
            )
        return [Spectrogram(x, self._params_of(x)) for x in mixtures]

    def _params_of(self, waveform):
        if self.sample_rate is None:
            return self._params(waveform.sample_rate)
        try:
            return self._params(self.sample_rate).at_rate(waveform.sample_rate)
        except ValueError as error:
            raise ValueError(f"{waveform.name}: {error}") from error

    def _check_parameters(self):
        super()._check_parameters()
        self._params(None)  # refuses settings that have no inverse

    def _params(self, sample_rate):
        return STFTParams(self.n_fft, self.hop_length, self.window, sample_rate)
