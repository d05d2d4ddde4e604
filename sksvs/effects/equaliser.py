"""Equalise: make ranges of frequencies louder or softer."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import sosfilt


def equalise(
    samples: np.ndarray, sample_rate: float, bands: Sequence[tuple[str, float, float, float]]
) -> np.ndarray:
    """Make ranges of frequencies louder or softer by filters of the second order.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    bands : sequence of (shape, frequency, gain_db, quality)
        See :func:`biquad`.

    Returns
    -------
    array of float, shape (n_samples,)

    Examples
    --------
    >>> constant = np.ones(1000)
    >>> boosted = equalise(constant, 8000, [("low shelf", 500.0, 6.0, 0.7)])
    >>> round(float(20 * np.log10(boosted[-1])), 3)
    6.0
    """
    if not bands:
        return np.array(samples)
    filters = np.array([biquad(sample_rate, *band) for band in bands])
    return sosfilt(filters, samples).astype(samples.dtype, copy=False)


def biquad(
    sample_rate: float, shape: str, frequency: float, gain_db: float, quality: float
) -> list[float]:
    """Return the coefficients of a shelf or a peak.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    shape : {"low shelf", "high shelf", "peak"}
    frequency : float
        In Hz, below half the sample rate: where a shelf has half its gain in dB, or a peak all of
        it.
    gain_db : float
    quality : float
        Of a peak: its frequency over its width in Hz. Of a shelf: above 0.71 it overshoots.

    Returns
    -------
    list of float, length 6
        A second-order section of SciPy: ``[b0, b1, b2, 1, a1, a2]``.

    References
    ----------
    R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients",
    https://www.w3.org/TR/audio-eq-cookbook/.

    Examples
    --------
    >>> section = biquad(8000, "low shelf", 500.0, 6.0, 0.7)
    >>> round(float(20 * np.log10(sum(section[:3]) / sum(section[3:]))), 3)  # at 0 Hz
    6.0
    """
    gain = 10 ** (gain_db / 40)
    angle = 2 * np.pi * frequency / sample_rate
    alpha, cosine = np.sin(angle) / (2 * quality), np.cos(angle)
    if shape == "peak":
        b = 1 + alpha * gain, -2 * cosine, 1 - alpha * gain
        a = 1 + alpha / gain, -2 * cosine, 1 - alpha / gain
    else:
        sign = 1 if shape == "low shelf" else -1  # a high one is a low one with -z in place of z
        up, down, c, slope = gain + 1, gain - 1, sign * cosine, 2 * np.sqrt(gain) * alpha
        b = up - down * c + slope, 2 * sign * (down - up * c), up - down * c - slope
        b = tuple(gain * x for x in b)
        a = up + down * c + slope, -2 * sign * (down + up * c), up + down * c - slope
    return [float(x / a[0]) for x in (*b, *a)]
