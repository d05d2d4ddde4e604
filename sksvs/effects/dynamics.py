"""Compress and limit: make what is loud softer. Measure and restore how loud a voice is."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import lfilter


def compress(
    samples: np.ndarray,
    sample_rate: float,
    threshold_db: float,
    ratio: float,
    seconds: float = 0.01,
) -> np.ndarray:
    """Make what is louder than a threshold softer, and the whole as loud as before.

    Where the level is L dB above the threshold, the gain is ``-(1 - 1/ratio) · L`` dB, else 0 dB:
    `ratio` dB of more level become one. The level is the root of the mean square, smoothed by a
    filter of the first order.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    threshold_db : float
        In relation to the RMS of `samples`, so that soft voices are compressed as loud ones are.
    ratio : float
        At least 1; 1 changes nothing.
    seconds : float, default=0.01
        Time constant of the smoothing.

    Returns
    -------
    array of float, shape (n_samples,)
        With the RMS of `samples`.

    Examples
    --------
    >>> voice = np.repeat([0.1, 1.0], 8000) * np.sin(np.arange(16_000))
    >>> soft, loud = np.split(compress(voice, 8000, -40.0, 2.0), 2)
    >>> round(float(20 * np.log10(rms(loud) / rms(soft))))  # 20 dB before
    10
    """
    loudness = rms(samples)
    if loudness == 0:
        return np.array(samples)
    squares = np.square(samples / loudness, dtype=np.float64)
    pole = np.exp(-1 / (seconds * sample_rate))
    # It begins with the level of the first samples, not with silence.
    start = pole * squares[: max(1, round(seconds * sample_rate))].mean()
    level, _ = lfilter([1 - pole], [1, -pole], squares, zi=[start])
    above = np.maximum(level / 10 ** (threshold_db / 10), 1).astype(samples.dtype)
    return as_loud_as(samples, samples * above ** (0.5 * (1 / ratio - 1)))


def limiter_gain(
    samples: np.ndarray, sample_rate: float, reduction_db: float, seconds: float = 0.005
) -> np.ndarray:
    """Return the gains by which a limiter lowers the peaks of a signal.

    A limiter that looks ahead: the gain that keeps a sample below the threshold, its minimum over
    `seconds` before and after, and the mean of that over the same time. Peaks stay below the
    threshold exactly, and gains change smoothly.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    reduction_db : float
        How far the threshold is below the highest peak, in dB; 0 changes nothing.
    seconds : float, default=0.005
        How far the limiter looks ahead, and how long it takes to recover.

    Returns
    -------
    array of float, shape (n_samples,)
        From 0 to 1.

    References
    ----------
    U. Zölzer (ed.), "DAFX: digital audio effects", 2nd edition, Wiley, 2011, section 4.2.1.

    Examples
    --------
    >>> clicks = np.zeros(8000)
    >>> clicks[[2000, 6000]] = 1.0, 0.4
    >>> limited = clicks * limiter_gain(clicks, 8000, 6.0)
    >>> np.round(limited[[2000, 6000]], 2)
    array([0.5, 0.4])
    """
    magnitudes = np.abs(samples)
    threshold = magnitudes.max(initial=0.0) * 10 ** (-reduction_db / 20)
    gains = threshold / np.maximum(magnitudes, threshold) if threshold > 0 else magnitudes + 1
    size = 2 * round(seconds * sample_rate) + 1
    return uniform_filter1d(minimum_filter1d(gains, size, mode="nearest"), size, mode="nearest")


def rms(samples: npt.ArrayLike) -> float:
    """Return the root of the mean square of samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def as_loud_as(samples, varied):
    """Return varied samples with the RMS of the samples that they were; silence stays silence."""
    loudness = rms(varied)
    return varied * (rms(samples) / loudness if loudness > 0 else 0.0)
