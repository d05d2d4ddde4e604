"""Measure means and powers of a track in one pass, and view it minus its means."""

from math import inf, log10
from typing import NamedTuple

import numpy as np

from sksvs.audio.waveform import View, before_downmix, to_mono

ROUNDING = 1e-12  # ratio of power to mean square below which a signal is a constant
CANCELLED = 1e-3  # ratio of the power of a downmix to the mean power of its channels: -30 dB
USABLE = 1.2e-38, 3.4e38  # range of levels that float32 holds with full precision
NO_DIFFERENCE = (
    1e-6  # ratio to the power of all sources: -60 dB, which rounding to 16 bits is below
)


class Powers(NamedTuple):
    """Means and powers of a waveform, in float64.

    Attributes
    ----------
    means : array, shape (n_channels,)
        The mean of every channel.
    channels : array, shape (n_channels,)
        The power of every channel: its mean square after its mean is subtracted; 0 if no more than
        rounding is left.
    downmix : float
        The power of the downmix, likewise.
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
        return {**self.__dict__, "_powers": None}  # the same before and after it is measured

    @property
    def is_done(self):
        """Whether the waveform has been measured."""
        return self._powers is not None

    @property
    def powers(self):
        """The `Powers` of the waveform."""
        if self._powers is None:
            sums = _Sums()
            for block in self.waveform.blocks():
                sums.add(block)
            self._powers = sums.powers()
        return self._powers


class Centred(View):
    """A waveform minus the mean of every channel, since a constant (DC) is no sound.

    The waveform is measured in one pass, when a value is first needed. For a downmix, the channels
    that it is computed from are measured: it may be silent where they are not.

    Parameters
    ----------
    waveform : Waveform, shape (n_samples,) or (n_samples, n_channels)
    measurement : Measurement, optional
        Of the waveform, or of the one that it is the downmix or a channel of; by default a new one.
    index : int, optional
        If the waveform is a channel of the measured one, the index of that channel.

    Examples
    --------
    >>> from sksvs.audio.waveform import ArrayWaveform
    >>> centred = Centred(ArrayWaveform(np.array([[0.5, 1.0], [1.5, 1.0]])))
    >>> centred[:].tolist(), centred.constant.tolist(), centred.level
    ([[-0.5, 0.0], [0.5, 0.0]], [1.0, 1.0], 0.25)
    """

    def __init__(self, waveform, measurement=None, index=None):
        super().__init__(waveform)
        self.measurement, self.index = measurement or Measurement(before_downmix(waveform)), index

    @property
    def constant(self):
        """The subtracted means: float64, shape (n_channels,), or a float for mono."""
        means = self.measurement.powers.means
        if self.index is not None:
            return means[self.index]
        return means if self.ndim == 2 else means.mean()

    @property
    def power(self):
        """The power of the downmix (see `Powers`)."""
        powers = self.measurement.powers
        return powers.downmix if self.index is None else powers.channels[self.index]

    @property
    def level(self):
        """The RMS of the downmix after its mean is subtracted; 1 if it is silent.

        Spectra are divided by it, so that a louder copy of a song gets the same masks.
        """
        level = float(np.sqrt(self.power))
        return level if USABLE[0] <= level <= USABLE[1] else 1.0

    @property
    def cancels(self):
        """Whether channels cancel: their downmix has less than -30 dB of their power."""
        powers = self.measurement.powers
        return self.index is None and powers.downmix < CANCELLED * powers.channels.mean()

    def to_mono(self):
        """View the downmix minus its mean; nothing is measured again."""
        return self if self.ndim == 1 else Centred(self.waveform.to_mono(), self.measurement)

    def channel(self, index):
        """View one channel minus its mean; nothing is measured again."""
        channel = self.waveform.channel(index)
        return self if self.ndim == 1 else Centred(channel, self.measurement, index)

    def with_channels(self):
        """View all channels that this downmix is computed from; any other waveform as it is."""
        whole = before_downmix(self.waveform)
        return self if whole is self.waveform else Centred(whole, self.measurement)

    def _read(self, start, stop):
        samples = super()._read(start, stop)
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
        The power of the difference between the downmix of the mixture and that of the sum, over
        the power of the mixture, in dB; -inf where it is no more than rounding.
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
    power_of_sources = sum(source.power for source in sources)
    return _ratio_in_db(difference.powers().downmix, mixture.power, power_of_sources)


def difference_from_sum(mixture, sources):
    """Compare a mixture with the sum of its sources, as `measure_track` does.

    Parameters
    ----------
    mixture : array, shape (n_samples,) or (n_samples, n_channels)
    sources : array, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)

    Returns
    -------
    float
        In dB; -inf where the difference is no more than rounding, or samples are NaN.
    """
    return _ratio_in_db(
        np.var(mixture - sources.sum(axis=0), axis=0, dtype=np.float64).sum(),
        np.var(mixture, axis=0, dtype=np.float64).sum(),
        np.var(sources, axis=1, dtype=np.float64).sum(),
    )


def _ratio_in_db(difference, mixture, sources):
    """Return the ratio of two powers in dB; -inf if `difference` is tiny beside `sources`."""
    if not difference > NO_DIFFERENCE * sources:
        return -inf
    return 10 * log10(difference / mixture) if mixture > 0 else inf


class _Sums:
    """Running sums over the blocks of a waveform, minus the mean of its first block.

    Subtracting that first keeps the variance of a large constant with a little sound exact.
    """

    def __init__(self):
        self._offset = None
        self._count, self._sums, self._squares, self._downmix_squares = 0, 0.0, 0.0, 0.0

    def add(self, block):
        channels = block.reshape(len(block), -1).T
        if self._offset is None:
            self._offset = channels.mean(axis=1, dtype=np.float64)[:, np.newaxis]
        channels = np.subtract(channels, self._offset, dtype=np.float64, order="C")
        downmix = sum(channels[1:], channels[0])
        self._count += len(downmix)
        self._sums += channels.sum(axis=1)
        self._squares += np.einsum("ij,ij->i", channels, channels)
        self._downmix_squares += np.einsum("i,i", downmix, downmix) / len(channels) ** 2

    def powers(self):
        means_left = self._sums / self._count
        means = self._offset[:, 0] + means_left
        channels = _power(self._squares / self._count - means_left**2, means)
        downmix = _power(self._downmix_squares / self._count - means_left.mean() ** 2, means.mean())
        return Powers(means, channels, float(downmix))


def _power(variance, mean):
    return np.where(variance > ROUNDING * (variance + mean**2), variance, 0.0)
