"""Measure a track in one pass, and view it without its constant."""

from math import inf, log10
from typing import NamedTuple

import numpy as np

from sksvs.audio.waveform import Waveform, before_downmix, to_mono

ROUNDING = 1e-12  # power over mean square: below it a signal is a constant
CANCELLED = 1e-3  # power of a downmix over the mean power of its channels: -30 dB
USABLE = 1.2e-38, 3.4e38  # levels that float32 holds with all of its digits
NO_DIFFERENCE = 1e-6  # power over that of all sources: -60 dB, the rounding of 16 bits among it


class Powers(NamedTuple):
    """What is measured of a waveform, in float64.

    Attributes
    ----------
    means : array, shape (n_channels,)
        The constant of every channel.
    channels : array, shape (n_channels,)
        The mean square of every channel without its constant; 0 if that is rounding.
    downmix : float
        The same of the downmix.
    """

    means: np.ndarray
    channels: np.ndarray
    downmix: float


class Measurement:
    """The means and the powers of a waveform, measured in one pass when they are first needed.

    Parameters
    ----------
    waveform : Waveform
    """

    def __init__(self, waveform):
        self.waveform = waveform
        self._powers = None

    def __getstate__(self):
        return {**self.__dict__, "_powers": None}  # what has been read never changes a pickle

    @property
    def is_done(self):
        """Whether the waveform has been read."""
        return self._powers is not None

    @property
    def powers(self):
        """What has been found: `Powers`."""
        if self._powers is None:
            sums = _Sums()
            for block in self.waveform.blocks():
                sums.add(block)
            self._powers = sums.powers()
        return self._powers


class Centred(Waveform):
    """A waveform minus the mean of every channel: a constant (DC) is no sound.

    All that is measured is measured in one pass over the waveform, when it is first needed. Of a
    downmix the channels are measured: it may be silent where they are not.

    Parameters
    ----------
    waveform : Waveform, shape (n_samples,) or (n_samples, n_channels)
    measurement : Measurement, optional
        Of the waveform, or of what it is the downmix or a channel of; by default a new one.
    index : int, optional
        Which channel of what is measured the waveform is.

    Examples
    --------
    >>> from sksvs.audio.waveform import ArrayWaveform
    >>> centred = Centred(ArrayWaveform(np.array([[0.5, 1.0], [1.5, 1.0]])))
    >>> centred[:].tolist(), centred.constant.tolist(), centred.level
    ([[-0.5, 0.0], [0.5, 0.0]], [1.0, 1.0], 0.25)
    """

    def __init__(self, waveform, measurement=None, index=None):
        self.waveform, self.index = waveform, index
        self.measurement = measurement or Measurement(before_downmix(waveform))
        self.shape = waveform.shape
        self.sample_rate, self.name = waveform.sample_rate, waveform.name

    @property
    def constant(self):
        """What is subtracted: an array of float64, shape (n_channels,), or of mono a float."""
        means = self.measurement.powers.means
        if self.index is not None:
            return means[self.index]
        return means if self.ndim == 2 else means.mean()

    @property
    def power(self):
        """The mean square of the downmix without its constant; 0 if that is rounding."""
        powers = self.measurement.powers
        return powers.downmix if self.index is None else powers.channels[self.index]

    @property
    def level(self):
        """The RMS of the downmix without its constant; 1 where that is silence.

        Spectra are divided by it, so that a louder copy of a song has the same masks.
        """
        level = float(np.sqrt(self.power))
        return level if USABLE[0] <= level <= USABLE[1] else 1.0

    @property
    def cancels(self):
        """Whether the downmix of several channels has next to nothing of their power."""
        powers = self.measurement.powers
        return self.index is None and powers.downmix < CANCELLED * powers.channels.mean()

    def to_mono(self):
        """View the downmix without its constant; nothing is measured again."""
        if self.ndim == 1:
            return self
        return Centred(self.waveform.to_mono(), self.measurement)

    def channel(self, index):
        """View one channel without its constant; nothing is measured again."""
        channel = self.waveform.channel(index)
        return self if self.ndim == 1 else Centred(channel, self.measurement, index)

    def with_channels(self):
        """View all channels of what this is the downmix of; any other waveform as it is."""
        whole = before_downmix(self.waveform)
        return self if whole is self.waveform else Centred(whole, self.measurement)

    def _read(self, start, stop):
        samples = self.waveform[start:stop]
        centred = np.subtract(samples, self.constant, dtype=np.float64)
        return centred.astype(samples.dtype, copy=False)


def measure_track(mixture, sources):
    """Measure a mixture and its sources in one pass, and compare it with their sum.

    Parameters
    ----------
    mixture : Centred
    sources : sequence of Centred

    Returns
    -------
    float
        The power of what the downmix of the mixture differs from that of the sum by, without its
        constant, over the power of the mixture, in dB; -inf where that is rounding.
    """
    tracks = [mixture, *sources]
    sums, difference = [_Sums() for _ in tracks], _Sums()
    for blocks in zip(*(track.measurement.waveform.blocks() for track in tracks)):
        for sum_, block in zip(sums, blocks):
            sum_.add(block)
        mono, *others = map(to_mono, blocks)
        difference.add(mono - sum(others[1:], others[0]))
    for sum_, track in zip(sums, tracks):
        track.measurement._powers = sum_.powers()
    rest = difference.powers().downmix
    return difference_in_db(rest, mixture.power, sum(source.power for source in sources))


def difference_from_sum(mixture, sources):
    """Compare a mixture with the sum of its sources, as `measure_track` does.

    Parameters
    ----------
    mixture : array, shape (n_samples,) or (n_samples, n_channels)
    sources : array, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)

    Returns
    -------
    float
        In dB; -inf where it is rounding or samples are NaN.
    """
    return difference_in_db(
        np.var(mixture - sources.sum(axis=0), axis=0, dtype=np.float64).sum(),
        np.var(mixture, axis=0, dtype=np.float64).sum(),
        np.var(sources, axis=1, dtype=np.float64).sum(),
    )


def difference_in_db(difference, mixture, sources):
    """Return the power of a difference over that of the mixture in dB, -inf if it is rounding."""
    if not difference > NO_DIFFERENCE * sources:
        return -inf
    return 10 * log10(difference / mixture) if mixture > 0 else inf


class _Sums:
    """Sums over the blocks of a waveform, of samples from which a first guess is subtracted."""

    def __init__(self):
        self._guess = None
        self._count, self._sums, self._squares, self._of_downmix = 0, 0.0, 0.0, 0.0

    def add(self, block):
        channels = block.reshape(len(block), -1).T
        if self._guess is None:
            self._guess = channels.mean(axis=1, dtype=np.float64)[:, np.newaxis]
        channels = np.subtract(channels, self._guess, dtype=np.float64, order="C")
        downmix = sum(channels[1:], channels[0])
        self._count += len(downmix)
        self._sums += channels.sum(axis=1)
        self._squares += np.einsum("ij,ij->i", channels, channels)
        self._of_downmix += np.einsum("i,i", downmix, downmix) / len(channels) ** 2

    def powers(self):
        offsets = self._sums / self._count
        means = self._guess[:, 0] + offsets
        channels = _power(self._squares / self._count - offsets**2, means)
        downmix = _power(self._of_downmix / self._count - offsets.mean() ** 2, means.mean())
        return Powers(means, channels, float(downmix))


def _power(variance, mean):
    return np.where(variance > ROUNDING * (variance + mean**2), variance, 0.0)
