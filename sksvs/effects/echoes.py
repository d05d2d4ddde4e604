"""Add to a voice what comes after it: reverberation, echoes, a second voice."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

WOBBLE = 0.5  # Hz: how often the pitch of a second voice goes up and down
EARLY = 0.01, 0.08  # seconds: when early reflections arrive
N_EARLY = 8


def reverb(
    samples: np.ndarray, sample_rate: float, rt60: float, power: float, rng: np.random.RandomState
) -> np.ndarray:
    """Add the reverberation of a room: early reflections, then noise that decays.

    The impulse response is 1 at its first sample, and then ``√power · w``, where w has the energy
    1: about half of it in a tail ``noise(t) · 10^(-3 t / rt60)`` (Moorer 1979), the other half in 8
    early reflections after 10 to 80 ms, which decay likewise.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    rt60 : float
        Seconds after which the reverberation has decayed by 60 dB, where it ends.
    power : float
        Of the reverberation, in relation to the direct sound: 0.1 is 10 dB softer.
    rng : numpy.random.RandomState

    Returns
    -------
    array of float, shape (n_samples,)
        What is left of the reverberation after the last sample is cut off.

    References
    ----------
    J. A. Moorer, "About this reverberation business", Computer Music Journal, 1979.

    Examples
    --------
    >>> click = np.zeros(8000)
    >>> click[100] = 1
    >>> response = reverb(click, 8000, 0.5, 0.25, np.random.RandomState(0))
    >>> round(float(response[100]), 6), round(float(np.sum(response[101:] ** 2)), 6)
    (1.0, 0.25)
    """
    n, n_tail = len(samples), max(1, round(rt60 * sample_rate))
    decay = np.exp(np.log(1e-3) / n_tail * np.arange(n_tail, dtype=np.float32))
    late = (rng.random_sample(n_tail) - 0.5) * decay
    late /= np.linalg.norm(late)
    places = (rng.uniform(*EARLY, N_EARLY) * sample_rate).astype(int) % n_tail
    early = rng.choice((-1.0, 1.0), N_EARLY) * decay[places]
    late[places] = early / np.linalg.norm(early)
    late *= np.sqrt(power) / np.linalg.norm(late)
    response = np.concatenate([[1], late])
    return _convolve(samples, response[:n].astype(samples.dtype))


def delay(samples: np.ndarray, sample_rate: float, seconds: float, gain: float) -> np.ndarray:
    """Add echoes at equal distances, each softer than the last by the same factor.

    ``y(t) = x(t) + gain · y(t - seconds)``, a feedback comb filter.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    seconds : float
        Between echoes, rounded to one sample or more.
    gain : float
        Below 1.

    Returns
    -------
    array of float, shape (n_samples,)

    Examples
    --------
    >>> delay(np.array([1.0, 0, 0, 0, 0, 0]), 1, 2.0, 0.5).tolist()
    [1.0, 0.0, 0.5, 0.0, 0.25, 0.0]
    """
    echoed, step = np.array(samples), max(1, round(seconds * sample_rate))
    for start in range(step, len(echoed), step):
        part = echoed[start : start + step]
        part += gain * echoed[start - step : start][: len(part)]
    return echoed


def doubling(
    samples: np.ndarray,
    sample_rate: float,
    seconds: float,
    cents: float,
    gain: float,
    phase: float = 0.0,
) -> np.ndarray:
    """Add a second voice that sings the same a little later, and a little out of tune.

    It is the voice itself after a delay that goes up and down, as in the automatic double tracking
    of tape machines: ``y(t) = x(t) + gain · x(t - d(t))``, where
    ``d(t) = seconds + a · sin(2π · 0.5 Hz · t + phase)``. The pitch changes by the slope of d, at
    most by ``2π · 0.5 Hz · a``, which determines a. Values between samples are interpolated
    linearly.

    Parameters
    ----------
    samples : array of float, shape (n_samples,)
    sample_rate : float
        In Hz.
    seconds : float
        Mean delay: at least a, 4 ms for 20 cents.
    cents : float
        Largest detuning: hundredths of a semitone.
    gain : float
        Of the second voice.
    phase : float, default=0.0
        Radians.

    Returns
    -------
    array of float, shape (n_samples,)

    Examples
    --------
    >>> doubling(np.array([1.0, 0, 0, 0, 0, 0]), 1, 2.5, 0.0, 0.5).tolist()
    [1.0, 0.0, 0.25, 0.25, 0.0, 0.0]
    """
    places = np.arange(len(samples))
    depth = (2 ** (cents / 1200) - 1) / (2 * np.pi * WOBBLE)  # seconds
    wobble = np.sin(2 * np.pi * WOBBLE / sample_rate * places + phase)
    late = places - sample_rate * (seconds + depth * wobble)
    # A zero before the first sample, so that the second voice begins as the first does.
    known = np.concatenate([[0], samples])
    return samples + (gain * np.interp(late + 1, np.arange(len(known)), known)).astype(
        samples.dtype
    )


def _convolve(samples, response):
    """Return as many samples of a convolution as there were before."""
    size = next_fast_len(len(samples) + len(response) - 1, real=True)
    return irfft(rfft(samples, size) * rfft(response, size), size)[: len(samples)]
