"""Synthesise a sung voice: glottal pulses through moving formants."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter, sosfilt

# Formant frequencies in Hz of a man's sung vowels (a, e, i, o, u); other singers scale them.
VOWELS = np.array(
    [
        [660, 1120, 2750, 3000, 3350],
        [440, 1800, 2700, 3000, 3300],
        [270, 1850, 2900, 3350, 3590],
        [430, 820, 2700, 3000, 3300],
        [370, 630, 2750, 3000, 3400],
    ],
    dtype=float,
)
BANDWIDTHS = np.array([80.0, 90.0, 120.0, 130.0, 140.0])  # Hz
STEP = 0.005  # seconds between two values of pitch and formants


def sing(notes, n_samples, sample_rate, rng):
    """Return a mono voice that sings the notes.

    Parameters
    ----------
    notes : list of (start, length, midi_pitch)
        Times in seconds; the voice rests between notes.
    n_samples : int
    sample_rate : int
        In Hz.
    rng : numpy.random.RandomState
        For the singer (formants, vibrato, breath), and for vowel, attack and vibrato of each note.

    Returns
    -------
    array of float64, shape (n_samples,)
    """
    seconds = np.arange(n_samples) / sample_rate
    tract_scale = rng.uniform(0.9, 1.25)  # of the formants: a shorter vocal tract has higher ones
    loudness, vibrato_depth, breath = np.zeros((3, n_samples))
    steps = np.arange(0, n_samples, max(1, int(STEP * sample_rate)))
    pitch = np.full(len(steps), notes[0][2], dtype=float)
    formants = np.tile(VOWELS[0], (len(steps), 1))
    for start, length, midi_pitch in notes:
        here = slice(int(start * sample_rate), int((start + length) * sample_rate))
        since = seconds[here] - start
        pitch[np.searchsorted(steps, here.start) :] = midi_pitch
        formants[np.searchsorted(steps, here.start) :] = VOWELS[rng.randint(len(VOWELS))]
        attack, release = rng.uniform(0.02, 0.08), rng.uniform(0.04, 0.1)
        shape = np.clip(since / attack, 0, 1) * np.clip((length - since) / release, 0, 1)
        loudness[here] = rng.uniform(0.6, 1.0) * shape
        vibrato_depth[here] = rng.uniform(0.2, 0.6) * np.clip((since - 0.15) / 0.2, 0, 1)
        if rng.random_sample() < 0.5:  # a consonant
            breath[here] += rng.uniform(0.5, 2.0) * np.exp(-since / 0.03)

    drift = _smooth(rng.standard_normal(len(steps)), 0.03) * 0.2  # semitones
    glide = np.interp(np.arange(n_samples), steps, _smooth(pitch, 0.02) + drift)
    vibrato = vibrato_depth * np.sin(2 * np.pi * rng.uniform(5.0, 6.5) * seconds)
    frequency = 440 * 2 ** ((glide + vibrato - 69) / 12)
    source = glottal_pulses(frequency, sample_rate) * loudness
    noise = np.diff(rng.standard_normal(n_samples), prepend=0.0)
    source += noise * (0.01 * rng.uniform(0.5, 2.0) * loudness + 0.05 * breath)
    return _filter_formants(source, _smooth(formants, 0.03) * tract_scale, steps, sample_rate)


def _smooth(values, seconds):
    """Smooth values, one a step, by a Gaussian with this standard deviation in seconds."""
    return gaussian_filter1d(values, seconds / STEP, axis=0, mode="nearest")


def glottal_pulses(frequency, sample_rate):
    """Return the derivative of Rosenberg's glottal flow, one pulse a period.

    The flow opens as half a cosine for 40 % of the period and closes as a quarter for 16 %.

    Parameters
    ----------
    frequency : array of float, shape (n_samples,)
        Fundamental frequency in Hz at every sample.
    sample_rate : int

    Returns
    -------
    array of float64, shape (n_samples,)

    References
    ----------
    A. E. Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels", JASA 49,
    1971, pulse C.
    """
    phase = np.cumsum(frequency / sample_rate) % 1.0
    opening = 0.5 * (1 - np.cos(np.pi * phase / 0.4))
    closing = np.cos(0.5 * np.pi * (phase - 0.4) / 0.16)
    flow = np.where(phase < 0.4, opening, np.where(phase < 0.56, closing, 0.0))
    return np.diff(flow, prepend=flow[:1])


def _filter_formants(source, formants, steps, sample_rate):
    """Filter the source by five resonators in series, whose frequencies change at every step."""
    voice = np.empty_like(source)
    radius = np.exp(-np.pi * BANDWIDTHS / sample_rate)
    state = np.zeros((len(BANDWIDTHS), 2))
    ends = [*steps[1:], len(source)]
    for start, stop, frequencies in zip(steps, ends, np.minimum(formants, 0.45 * sample_rate)):
        cosine = 2 * radius * np.cos(2 * np.pi * frequencies / sample_rate)
        gain = 1 - cosine + radius**2  # so that a resonator passes 0 Hz unchanged
        zeros = np.zeros_like(gain)
        sections = np.column_stack([gain, zeros, zeros, np.ones_like(gain), -cosine, radius**2])
        voice[start:stop], state = sosfilt(sections, source[start:stop], zi=state)
    return lfilter([1.0, -1.0], [1.0, -0.995], voice)  # removes the constant
