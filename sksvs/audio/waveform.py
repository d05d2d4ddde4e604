"""Waveforms that read their samples when they are sliced, and views of them.

A :class:`Waveform` has a ``shape``, a ``sample_rate`` and a ``name``; it reads samples only when a
range of them is asked for. A view (one channel, a time slice, a gain, a sum, the downmix) computes
its samples from those of another waveform.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from sksvs.audio.checks import check_shape, common_grid, require_finite

BLOCK_LENGTH = 1 << 18  # samples read at a time where a whole track is read


class Waveform(ABC):
    """A waveform of shape ``(n_samples,)`` or ``(n_samples, n_channels)``, read when sliced.

    ``waveform[start:stop]`` returns the samples as an array (full scale is ±1), ``np.asarray``
    returns all of them, and iterating reads blocks. Subclasses set the attributes and define
    `_read`.

    Attributes
    ----------
    shape : tuple of int
        ``(n_samples,)`` or ``(n_samples, n_channels)``.
    sample_rate : int or None
        In Hz; None if unknown.
    name : str
        Names this waveform in errors: the path where there is one.
    """

    shape: tuple[int, ...]
    sample_rate: int | None
    name: str

    @abstractmethod
    def _read(self, start, stop):
        """Return the samples of ``0 <= start <= stop <= n_samples`` as an array."""

    @property
    def ndim(self) -> int:
        """1 for mono, 2 for a waveform with a channel axis."""
        return len(self.shape)

    @property
    def n_samples(self) -> int:
        """The length in samples."""
        return self.shape[0]

    @property
    def n_channels(self) -> int:
        """The number of channels: 1 for mono."""
        return self.shape[1] if self.ndim == 2 else 1

    def __len__(self) -> int:
        return self.shape[0]

    @overload
    def __getitem__(self, key: slice) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: int | tuple) -> Any: ...
    def __getitem__(self, key):
        time, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(time, slice) and time.step in (None, 1):
            start, stop, _ = time.indices(self.n_samples)
            return self._read(start, max(start, stop))[(slice(None), *rest)]
        if isinstance(time, (int, np.integer)) and not isinstance(time, bool):
            if not -self.n_samples <= time < self.n_samples:
                raise IndexError(
                    f"{self.name} has {self.n_samples} sample(s), so there is no sample {time}."
                )
            start = int(time) % self.n_samples
            return self._read(start, start + 1)[(0, *rest)]
        return self._read(0, self.n_samples)[key]

    def __iter__(self) -> Iterator[Any]:
        for block in self.blocks():
            yield from block

    def __contains__(self, value: object) -> bool:
        return any(np.any(block == value) for block in self.blocks())

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{self.name} is read when it becomes an array: that is a copy.")
        samples = self._read(0, self.n_samples)
        return samples.astype(dtype or samples.dtype, copy=bool(copy))

    def __repr__(self):
        rate = "unknown rate" if self.sample_rate is None else f"{self.sample_rate} Hz"
        return f"<{type(self).__name__} {self.name}: shape {self.shape}, {rate}>"

    def blocks(self, length: int = BLOCK_LENGTH) -> Iterator[np.ndarray]:
        """Yield the samples in order, `length` of them at a time."""
        for start in range(0, self.n_samples, length):
            yield self[start : start + length]

    def channel(self, index: int) -> "Waveform":
        """View one channel: shape ``(n_samples,)``."""
        return Channel(self, index)

    def time_slice(self, start: int | None, stop: int | None) -> "Waveform":
        """View the samples from `start` to `stop` (as in a Python slice)."""
        return TimeSlice(self, start, stop)

    def gain(self, factor: float) -> "Waveform":
        """View the waveform times `factor` (linear, not dB)."""
        return Gain(self, factor)

    def unit_norm(self) -> "Waveform":
        """View the waveform divided by its L2 norm (a silent one stays silent)."""
        return UnitNorm(self)

    def to_mono(self) -> "Waveform":
        """View the mean of the channels: shape ``(n_samples,)``."""
        return self if self.ndim == 1 else Downmix(self)

    def __add__(self, other: "Waveform") -> "Waveform":
        return Sum([self, other]) if isinstance(other, Waveform) else NotImplemented


class ArrayWaveform(Waveform):
    """Samples in memory, with an optional sample rate.

    Parameters
    ----------
    samples : array of float, shape (n_samples,) or (n_samples, n_channels)
        Full scale is ±1. An array of float32 or float64 is kept, not copied, and never written
        to; another kind of float becomes float32.
    sample_rate : int, optional
        In Hz.
    name : str, default="the waveform"
        Names it in errors.

    Raises
    ------
    ValueError, TypeError
        If the samples are empty, of another rank, or not floating point; when they are read,
        if they hold NaN, inf or more than 1e30.

    Examples
    --------
    >>> import numpy as np
    >>> stereo = ArrayWaveform(np.array([[0.5, 0.25], [0.0, 0.5]]), sample_rate=44100)
    >>> stereo.to_mono()[:]
    array([0.375, 0.25 ])
    """

    def __init__(
        self, samples: npt.ArrayLike, sample_rate: int | None = None, name: str = "the waveform"
    ):
        self.samples = np.asarray(samples)
        self.shape = self.samples.shape
        self.sample_rate = sample_rate
        self.name = name
        dtype = self.samples.dtype
        if not np.issubdtype(dtype, np.floating):
            remedy = ""
            if np.issubdtype(dtype, np.signedinteger):
                full_scale = -float(np.iinfo(dtype).min)
                remedy = f" Divide {dtype} samples of full range by {full_scale:.0f}."
            raise TypeError(
                f"{name} must hold floating-point samples with full scale ±1; got {dtype}.{remedy}"
            )
        check_shape(self.shape, name)
        if dtype not in (np.float32, np.float64):
            self.samples = self.samples.astype(np.float32)

    def _read(self, start, stop):
        return require_finite(self.samples[start:stop], self.name, start)


class View(Waveform):
    """A waveform that is computed from another one, with its sample rate and its name.

    Parameters
    ----------
    waveform : Waveform
    shape : tuple of int, optional
        The default is that of `waveform`.
    """

    def __init__(self, waveform, shape=None):
        self.waveform = waveform
        self.shape = waveform.shape if shape is None else shape
        self.sample_rate, self.name = waveform.sample_rate, waveform.name

    def _read(self, start, stop):
        return self.waveform[start:stop]


class Channel(View):
    """One channel of a waveform."""

    def __init__(self, waveform, index):
        if not 0 <= index < waveform.n_channels:
            raise ValueError(
                f"{waveform.name} has {waveform.n_channels} channel(s), so there is no channel "
                f"{index}."
            )
        super().__init__(waveform, waveform.shape[:1])
        self.index = index

    def _read(self, start, stop):
        samples = super()._read(start, stop)
        return samples if samples.ndim == 1 else samples[:, self.index]


class TimeSlice(View):
    """The samples of a waveform from one moment to another."""

    def __init__(self, waveform, start, stop):
        self.start, end, _ = slice(start, stop).indices(waveform.n_samples)
        if end <= self.start:
            raise ValueError(
                f"{waveform.name} has no sample between {start} and {stop}: "
                f"it has {waveform.n_samples}."
            )
        super().__init__(waveform, (end - self.start, *waveform.shape[1:]))

    def _read(self, start, stop):
        return super()._read(self.start + start, self.start + stop)


class Gain(View):
    """A waveform times a constant."""

    def __init__(self, waveform, factor):
        if not np.isfinite(factor):
            raise ValueError(f"The gain of {waveform.name} must be finite; got {factor}.")
        super().__init__(waveform)
        self.factor = float(factor)

    def _read(self, start, stop):
        return super()._read(start, stop) * self.factor


class UnitNorm(View):
    """A waveform divided by its L2 norm, which is measured when it is first read."""

    _norm = None

    def __getstate__(self):
        return {**self.__dict__, "_norm": None}  # the same before and after it is read

    def _read(self, start, stop):
        if self._norm is None:
            self._norm = np.sqrt(energy(self.waveform)) or 1.0
        samples = super()._read(start, stop)
        return samples / samples.dtype.type(self._norm)


class AtRate(View):
    """A waveform without a sample rate, labelled with one; nothing is resampled."""

    def __init__(self, waveform, sample_rate):
        super().__init__(waveform)
        self.sample_rate = sample_rate


class Downmix(View):
    """The mean of a waveform's channels."""

    def __init__(self, waveform):
        super().__init__(waveform, waveform.shape[:1])

    def _read(self, start, stop):
        return to_mono(super()._read(start, stop))


def before_downmix(waveform):
    """Return the waveform that a downmix is computed from; any other waveform as it is."""
    if isinstance(waveform, AtRate):
        whole = before_downmix(waveform.waveform)
        return waveform if whole is waveform.waveform else AtRate(whole, waveform.sample_rate)
    return waveform.waveform if isinstance(waveform, Downmix) else waveform


class Sum(Waveform):
    """The sum of waveforms of one shape and one sample rate."""

    def __init__(self, waveforms):
        self.waveforms = tuple(waveforms)
        self.shape, self.sample_rate = common_grid(self.waveforms)
        self.name = self.waveforms[0].name

    def _read(self, start, stop):
        return sum((w[start:stop] for w in self.waveforms[1:]), self.waveforms[0][start:stop])


@overload
def to_mono(waveform: np.ndarray) -> np.ndarray: ...
@overload
def to_mono(waveform: Waveform) -> Waveform: ...
def to_mono(waveform: np.ndarray | Waveform) -> np.ndarray | Waveform:
    """Return the mean of the channels: an array for an array, a view for a Waveform.

    Parameters
    ----------
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)

    Returns
    -------
    array or Waveform, shape (n_samples,)
    """
    if isinstance(waveform, Waveform):
        return waveform.to_mono()
    if waveform.ndim == 1:
        return waveform
    # Added channel by channel: `mean` takes twenty times as long over so short an axis.
    return sum(waveform.T[1:], waveform.T[0]) / waveform.shape[1]


def energy(waveform):
    """Return the sum of the squared samples over all channels, in float64, reading in blocks."""
    return sum(float(np.sum(np.square(block, dtype=np.float64))) for block in waveform.blocks())
