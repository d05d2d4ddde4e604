"""log-WMSE: the weighted error relative to the mixture, which scores silent sources too."""

from functools import cache

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from sksvs.audio.resampling import resample
from sksvs.effects import biquad
from sksvs.metrics.bss_eval.comparison import check_signals
from sksvs.metrics.bss_eval.signals import signal_energy

RATE = 44100  # Hz: of the filter; other rates are resampled
N_TAPS = 4000  # of the filter: 91 ms
TOLERANCE = 10 ** (-68 / 20)  # errors below it count as zero; relative to the RMS of the mixture
EPSILON = 1e-8  # of the energy of the mixture: the smallest error


def log_wmse(
    references: npt.ArrayLike,
    estimates: npt.ArrayLike,
    mixture: npt.ArrayLike,
    sample_rate: int,
) -> np.ndarray:
    """Return the log-WMSE of every estimate, which is defined for silent references too.

    ``log-WMSE = -4 ln(mean(d²) + 1e-8)`` with ``d = w * (e - s) / rms(w * x)``, where w is a filter
    with the sensitivity of hearing, x the mixture, and values of d within ±10^(-68/20) count as
    zero. Channels are scored by themselves and averaged. The error is compared with the mixture
    and not with the reference, so an estimate of a silent source scores the higher, the more of the
    mixture it removes. 0: the error is as loud as the mixture; each 0.92 is a decibel less error;
    73.7: no error.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        The true sources; they may be silent.
    estimates : array of float, of the same shape
    mixture : array of float, shape (n_samples,) or (n_samples, n_channels)
    sample_rate : int
        In Hz. Signals of other rates than 44100 Hz are resampled to it, as in the original.

    Returns
    -------
    array of float64, shape (n_sources,)
        At most 73.7; NaN if the estimate holds NaN or inf. A channel in which the mixture is silent
        is left out; NaN if it is silent in all.

    Raises
    ------
    ValueError
        If the shapes differ or are not those above, or a reference or the mixture holds NaN or inf.

    References
    ----------
    I. Jordal, "logWMSE", https://github.com/nomonosound/log-wmse-audio-quality, 2023: the metric
    and its filter, which is a high shelf (1500 Hz, 5 dB), a high-pass (120 Hz), a peak (500 Hz,
    2.5 dB) and a low-pass (10 kHz), made symmetric.

    Examples
    --------
    >>> mixture = np.random.default_rng(0).uniform(-1, 1, 44100)
    >>> silence = np.zeros((1, 44100))
    >>> log_wmse(silence, 0.1 * mixture[np.newaxis], mixture, 44100).round(2)
    array([18.42])
    """
    references, estimates = check_signals(references, estimates, dimensions=(2, 3))
    mixture = np.asarray(mixture)
    if mixture.shape != references.shape[1:]:
        raise ValueError(
            f"mixture must have shape {references.shape[1:]}, as each reference; got "
            f"{mixture.shape}."
        )
    for name, signal in (("references", references), ("mixture", mixture)):
        if not np.isfinite(signal_energy(signal)):
            raise ValueError(f"{name} must be finite; got NaN, inf or values too large.")
    loudness = np.sqrt(np.mean(_weigh(mixture, sample_rate) ** 2, axis=1))
    return np.array(
        [
            _score(np.subtract(e, s, dtype=np.float64), loudness, sample_rate)
            for s, e in zip(references, estimates)
        ]
    )


def _score(error, loudness, sample_rate):
    """Return the score from the samples of an error and the RMS of each channel of the mixture."""
    audible = loudness > 0
    if not audible.any() or not np.isfinite(signal_energy(error)):
        return np.nan
    relative = _weigh(error, sample_rate)[audible] / loudness[audible, np.newaxis]
    relative[np.abs(relative) < TOLERANCE] = 0
    return np.mean(-4 * np.log(np.mean(relative**2, axis=1) + EPSILON))


def _weigh(signal, sample_rate):
    """Return the channels of a signal after the filter: float64, shape (n_channels, n)."""
    if sample_rate != RATE:
        signal = resample(signal, sample_rate, RATE)
    channels = np.ascontiguousarray(signal.reshape(len(signal), -1).T, np.float64)
    return scipy.signal.oaconvolve(channels, _filter()[np.newaxis], "same", axes=1)


@cache
def _filter():
    """Return the taps of the filter: the magnitude of four sections, with zero phase."""
    sections = [
        biquad(RATE, "high shelf", 1500, 5.0, 1 / np.sqrt(2)),
        scipy.signal.butter(2, 120, "highpass", output="sos", fs=RATE)[0],
        biquad(RATE, "peak", 500, 2.5, 1.5 / np.sqrt(2)),
        *2 * [scipy.signal.butter(1, 10_000, output="sos", fs=RATE)[0]],  # forwards and backwards
    ]
    magnitude = np.abs(scipy.signal.sosfreqz(sections, 4097)[1])
    taps = np.roll(scipy.fft.irfft(magnitude), N_TAPS // 2 - 1)  # the peak where "same" has zero
    return taps[:N_TAPS]
