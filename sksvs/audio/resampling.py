"""Change the sample rate of a waveform."""

from math import ceil, gcd
from typing import overload

import numpy as np
import soxr

from sksvs.audio.waveform import ArrayWaveform, View, Waveform

# How far the filter of soxr's high-quality setting reaches, in samples of the lower rate: what is
# beyond changes no sample by more than float32 rounds it.
REACH = 128


@overload
def resample(waveform: np.ndarray, sample_rate: int, new_sample_rate: int) -> np.ndarray: ...
@overload
def resample(waveform: Waveform, sample_rate: int, new_sample_rate: int) -> ArrayWaveform: ...
def resample(
    waveform: np.ndarray | Waveform, sample_rate: int, new_sample_rate: int
) -> np.ndarray | ArrayWaveform:
    """Return a waveform at another sample rate, by soxr at its high-quality setting.

    Parameters
    ----------
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
        A lazy waveform is read whole.
    sample_rate : int
        The rate of `waveform`, in Hz.
    new_sample_rate : int
        In Hz.

    Returns
    -------
    array or ArrayWaveform
        Of the same kind (for a Waveform, an ArrayWaveform with its new rate), with
        ``round(n_samples * new_sample_rate / sample_rate)`` samples.

    Examples
    --------
    >>> import numpy as np
    >>> resample(np.zeros((44100, 2)), 44100, 16000).shape
    (16000, 2)
    """
    if isinstance(waveform, Waveform):
        if waveform.sample_rate not in (None, sample_rate):
            raise ValueError(
                f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz; got "
                f"sample_rate={sample_rate}."
            )
        samples = resample(waveform[:], sample_rate, new_sample_rate)
        return ArrayWaveform(samples, new_sample_rate, waveform.name)
    for rate in (sample_rate, new_sample_rate):
        if not rate > 0:
            raise ValueError(f"A sample rate must be positive; got {rate!r}.")
    samples = ArrayWaveform(waveform)[:]
    return soxr.resample(samples, sample_rate, new_sample_rate, quality="HQ")


class Resampled(View):
    """A view of a waveform at another sample rate, which resamples what is read of it.

    Any range has the samples that :func:`resample` gives when it resamples the whole waveform, but
    for the rounding of float32. To read it, the same range and a little before and after is read.

    Parameters
    ----------
    waveform : Waveform
        That knows its sample rate.
    sample_rate : int
        In Hz.

    Examples
    --------
    >>> import numpy as np
    >>> slow = Resampled(ArrayWaveform(np.zeros((44100, 2)), 44100), 16000)
    >>> slow.shape, slow[1000:1010].shape
    ((16000, 2), (10, 2))
    """

    def __init__(self, waveform, sample_rate):
        n_samples = max(1, round(waveform.n_samples * sample_rate / waveform.sample_rate))
        super().__init__(waveform, (n_samples, *waveform.shape[1:]))
        self.sample_rate = sample_rate

    def _read(self, start, stop):
        old, new = self.waveform.sample_rate, self.sample_rate
        # Both rates have a sample at the same moment every `period` samples: begin at one.
        period, new_period = old // gcd(old, new), new // gcd(old, new)
        reach = ceil(REACH * max(1, old / new))
        n_periods = max(0, (start // new_period) - ceil(reach / period))
        first, last = n_periods * period, ceil(stop * old / new) + reach
        there = soxr.resample(self.waveform[first:last], old, new, quality="HQ")
        there = there[start - n_periods * new_period :][: stop - start]
        samples = np.zeros((stop - start, *self.shape[1:]), there.dtype)
        samples[: len(there)] = there  # soxr rounds the length down where it ends in a half
        return samples
