"""Vary a voice by effects that are drawn at random."""

import numpy as np

from sksvs.effects.dynamics import as_loud_as, compress
from sksvs.effects.echoes import delay, doubling, reverb
from sksvs.effects.equaliser import equalise


def vary_voice(samples: np.ndarray, sample_rate: float, rng: np.random.RandomState) -> np.ndarray:
    """Send a voice through effects that are drawn at random.

    Each is used or not, independently, and in this order:

    - :func:`equalise` (3 of 4 voices): a low shelf at 80 to 300 Hz, a peak at 300 Hz to 5 kHz whose
      quality is 0.5 to 2, and a high shelf at 3 to 10 kHz, each by up to 6 dB up or down.
    - :func:`compress` (3 of 4): above a threshold from 12 dB below to 3 dB above the voice's own
      RMS, by a ratio of 2 to 8 [1]_.
    - :func:`doubling` (1 of 3): by 15 to 45 ms, detuned by up to 5 to 20 cents, 3 to 15 dB softer
      than the voice. Delays of 10 to 25 ms are used for a chorus, of 25 to 50 ms for slapback [2]_.
    - :func:`delay` (1 of 3): by 50 to 500 ms, every echo 8 to 20 dB softer than the last. From 50
      ms on, an echo is heard on its own [2]_.
    - :func:`reverb` (3 of 4): 0.3 to 2.5 s, from a small room to a plate or a hall, 4 to 20 dB
      softer than the direct sound.

    The sources describe the effects and the ranges of delays; the other ranges are our choice.
    Times, ratios and frequencies are drawn uniformly in their logarithm, decibels uniformly. Every
    effect begins in silence: what was sung before the first sample has no echo.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz. Bands of the equaliser above 0.45 times it are left out.
    rng : numpy.random.RandomState
        As many numbers decide on the effects whatever they are.

    Returns
    -------
    array of float, shape (n_samples,)
        As loud as `samples` (RMS). The direct sound is not delayed.

    References
    ----------
    .. [1] D. Giannoulis, M. Massberg and J. D. Reiss, "Digital dynamic range compressor design: a
       tutorial and analysis", Journal of the Audio Engineering Society, 2012.
    .. [2] U. Zölzer (ed.), "DAFX: digital audio effects", 2nd edition, Wiley, 2011, chapter 2.

    Examples
    --------
    >>> from sksvs.effects import rms
    >>> voice = np.sin(0.05 * np.arange(8000))
    >>> varied = vary_voice(voice, 8000, np.random.RandomState(0))
    >>> round(rms(varied) / rms(voice), 6), bool(np.allclose(varied, voice))
    (1.0, False)
    """
    often, seldom = 3 / 4, 1 / 3
    used = rng.random_sample(5) < (often, often, seldom, seldom, often)
    equalised, compressed, doubled, echoed, reverberated = used
    low, middle, high = _between(rng, (80, 300, 3000), (300, 5000, 10_000))
    quality, ratio = _between(rng, (0.5, 2), (2, 8))
    double, echo, rt60 = _between(rng, (0.015, 0.05, 0.3), (0.045, 0.5, 2.5))
    boosts = rng.uniform(-6, 6, 3).tolist()
    levels = rng.uniform((-12, -15, -20, -20), (3, -3, -8, -4)).tolist()
    threshold, double_db, echo_db, reverb_db = levels
    cents, phase = rng.uniform((5, 0), (20, 2 * np.pi)).tolist()
    varied = samples
    if equalised:
        shapes = ("low shelf", low, 0.7), ("peak", middle, quality), ("high shelf", high, 0.7)
        bands = [
            (shape, frequency, boost, q)
            for (shape, frequency, q), boost in zip(shapes, boosts)
            if frequency < 0.45 * sample_rate
        ]
        varied = equalise(varied, sample_rate, bands)
    if compressed:
        varied = compress(varied, sample_rate, threshold, ratio)
    if doubled:
        varied = doubling(varied, sample_rate, double, cents, 10 ** (double_db / 20), phase)
    if echoed:
        varied = delay(varied, sample_rate, echo, 10 ** (echo_db / 20))
    if reverberated:
        varied = reverb(varied, sample_rate, rt60, 10 ** (reverb_db / 10), rng)
    return as_loud_as(samples, varied)


def _between(rng, low, high):
    """Draw one number between each pair of bounds, uniform in its logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high))).tolist()
