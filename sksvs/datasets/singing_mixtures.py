"""Synthesise songs: a sung voice over chords, bass and drums."""

from numbers import Integral

import numpy as np
from scipy.signal import butter, sosfilt
from sklearn.utils import check_random_state

from sksvs.datasets.singing_voice import sing

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PROGRESSIONS = ((0, 4, 5, 3), (5, 3, 0, 4), (0, 3, 4, 4), (0, 5, 3, 4), (1, 4, 0, 0))  # degrees


def make_singing_mixtures(
    n_tracks=10, duration=10.0, sample_rate=16000, n_channels=1, random_state=None
):
    """Make songs to learn from: a sung voice over chords, bass and drums.

    Every track has its own singer (pitch range, vocal tract, vibrato), melody, tempo, key, chord
    progression, timbres, drum pattern and balance. The voice is made of glottal pulses through
    formants that move from vowel to vowel, with vibrato, onsets, consonants and rests.

    Parameters
    ----------
    n_tracks : int, default=10
    duration : float, default=10.0
        Seconds of every track.
    sample_rate : int, default=16000
        In Hz.
    n_channels : {1, 2}, default=1
        Mono, or stereo with the instruments panned.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    X : list of array of float32, each (n_samples,) or (n_samples, 2)
        The mixtures: exactly the sums of their sources, with a peak of 0.8.
    y : list of array of float32, each (2, n_samples) or (2, n_samples, 2)
        The voice and the accompaniment.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> X, y = make_singing_mixtures(n_tracks=2, duration=3.0, random_state=0)
    >>> X[0].shape, y[0].shape
    ((48000,), (2, 48000))
    """
    if not isinstance(n_tracks, Integral) or n_tracks < 1:
        raise ValueError(f"n_tracks must be an integer of at least 1; got {n_tracks!r}.")
    if not isinstance(sample_rate, Integral) or sample_rate < 4000:
        raise ValueError(
            f"sample_rate must be a whole number of Hz, at least 4000; got {sample_rate!r}."
        )
    if not (np.isfinite(duration) and round(duration * sample_rate) >= 1):
        raise ValueError(
            f"duration must be positive, one sample at least; got {duration!r} s at "
            f"{sample_rate!r} Hz."
        )
    if n_channels not in (1, 2):
        raise ValueError(f"n_channels must be 1 or 2; got {n_channels!r}.")
    rng = check_random_state(random_state)
    songs = [
        _make_song(duration, sample_rate, n_channels, np.random.RandomState(seed))
        for seed in rng.randint(2**31 - 1, size=n_tracks)
    ]
    return [sources.sum(axis=0) for sources in songs], songs


def _make_song(duration, sample_rate, n_channels, rng):
    """Return the two sources of one song."""
    n_samples = round(duration * sample_rate)
    beat = 60 / rng.uniform(80, 140)
    scale = SCALES[("major", "minor")[rng.randint(2)]]
    root = rng.randint(45, 57)  # MIDI: A2 to G#3
    chords = PROGRESSIONS[rng.randint(len(PROGRESSIONS))]

    voice = sing(_melody(duration, beat, scale, root, rng), n_samples, sample_rate, rng)
    parts = [(voice, 0.0)]
    parts.append((_chords(duration, beat, scale, root, chords, n_samples, sample_rate, rng), None))
    parts.append((_bass(duration, beat, scale, root, chords, n_samples, sample_rate, rng), 0.0))
    parts.append((_drums(duration, beat, n_samples, sample_rate, rng), None))

    # In dB against the voice where it sings.
    levels = [0.0, rng.uniform(-6, -1), rng.uniform(-7, -3), rng.uniform(-10, -5)]
    panned = []
    for (part, position), level in zip(parts, levels):
        position = rng.uniform(-0.7, 0.7) if position is None else position
        gain = 10 ** (level / 20) / _rms_while_sounding(part, sample_rate)
        panned.append(_pan(gain * part, position, n_channels))
    sources = np.stack([panned[0], sum(panned[1:])])
    peak = np.abs(sources.sum(axis=0)).max() or 1.0
    return (0.8 / peak * sources).astype(np.float32)


def _rms_while_sounding(part, sample_rate):
    """Return the RMS of a part over its twentieths of a second that are not nearly silent."""
    length = min(len(part), max(1, sample_rate // 20))
    energies = np.mean(part[: len(part) // length * length].reshape(-1, length) ** 2, axis=1)
    sounding = energies[energies > 0.01 * energies.max()]
    return np.sqrt(sounding.mean()) if len(sounding) else 1.0


def _pan(part, position, n_channels):
    """Place a part between left (-1) and right (1) at constant power."""
    if n_channels == 1:
        return part
    angle = (position + 1) * np.pi / 4
    return part[:, np.newaxis] * np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])


def _melody(duration, beat, scale, root, rng):
    """Return notes ``(start, length, midi_pitch)``: a walk on the scale, in phrases with rests."""
    notes, time = [], beat * rng.uniform(0, 0.5)
    octave = rng.choice([0, 12])  # a low or a high voice
    degree = rng.randint(0, 7)
    while time < duration:
        for _ in range(rng.randint(3, 8)):
            length = beat * rng.choice([0.5, 0.5, 1.0, 1.0, 1.5, 2.0])
            degree = int(np.clip(degree + rng.randint(-2, 3), -2, 9))
            pitch = root + octave + 12 * (degree // 7) + scale[degree % 7]
            if time + length > duration:
                break
            notes.append((time, 0.95 * length, pitch))
            time += length
        time += beat * rng.choice([0.5, 1.0, 2.0])
    return notes or [(0.0, duration, root + octave)]


def _bars(duration, beat, chords):
    """Yield ``(start, degree)`` of bars of four beats, over the progression again and again."""
    for i in range(int(np.ceil(duration / (4 * beat)))):
        yield 4 * beat * i, chords[i % len(chords)]


def _chords(duration, beat, scale, root, chords, n_samples, sample_rate, rng):
    part = np.zeros(n_samples)
    sustained = rng.random_sample() < 0.5
    brightness = rng.uniform(1.0, 2.2)
    strokes = 1 if sustained else rng.choice([2, 4])
    for bar, degree in _bars(duration, beat, chords):
        for stroke in range(strokes):
            start, length = bar + stroke * 4 * beat / strokes, 4 * beat / strokes
            for third in (0, 2, 4):
                step = degree + third
                pitch = root + 12 * (step // 7) + scale[step % 7]
                decay = 10.0 if sustained else rng.uniform(0.3, 0.8)
                _add_tone(part, start, length, pitch, decay, brightness, sample_rate, rng)
    return part


def _bass(duration, beat, scale, root, chords, n_samples, sample_rate, rng):
    part = np.zeros(n_samples)
    per_beat = rng.choice([1, 2])
    for bar, degree in _bars(duration, beat, chords):
        for stroke in range(4 * per_beat):
            start = bar + stroke * beat / per_beat
            pitch = root - 12 + scale[degree % 7]
            _add_tone(part, start, beat / per_beat, pitch, 0.5, 2.0, sample_rate, rng)
    return part


def _drums(duration, beat, n_samples, sample_rate, rng):
    part = np.zeros(n_samples)
    hats = rng.choice([1, 2, 4])  # in a beat
    top = min(0.45 * sample_rate, 6000.0)
    hiss = butter(2, top / 1.2, "highpass", fs=sample_rate, output="sos")
    for i in range(int(np.ceil(duration / beat))):
        seconds = np.arange(int(0.3 * sample_rate)) / sample_rate
        if i % 2 == 0:  # kick: a falling sine
            sound = np.sin(2 * np.pi * (50 * seconds - 8 * np.exp(-seconds / 0.03)))
            sound *= 2.0 * np.exp(-seconds / 0.08)
        else:  # snare: noise and a tone
            sound = 0.7 * rng.standard_normal(len(seconds)) * np.exp(-seconds / 0.07)
            sound += 0.5 * np.sin(2 * np.pi * 190 * seconds) * np.exp(-seconds / 0.05)
        _add(part, i * beat, sound, sample_rate)
        for j in range(hats):
            noise = sosfilt(hiss, rng.standard_normal(int(0.08 * sample_rate)))
            noise *= 0.5 * np.exp(-np.arange(len(noise)) / (0.02 * sample_rate))
            _add(part, (i + j / hats) * beat, noise, sample_rate)
    return part


def _add_tone(part, start, length, pitch, decay, brightness, sample_rate, rng):
    """Add harmonics that fall off with their number, below half the sample rate."""
    frequency = 440 * 2 ** ((pitch - 69 + rng.normal(0, 0.04)) / 12)
    seconds = np.arange(int(length * sample_rate)) / sample_rate
    tone = np.zeros(len(seconds))
    for k in range(1, min(20, int(0.45 * sample_rate / frequency)) + 1):
        phase = rng.uniform(0, 2 * np.pi)
        tone += np.sin(2 * np.pi * k * frequency * seconds + phase) / k**brightness
    tone *= np.exp(-seconds / decay)
    tone *= np.clip(seconds / 0.01, 0, 1) * np.clip((length - seconds) / 0.02, 0, 1)
    _add(part, start, tone, sample_rate)


def _add(part, start, sound, sample_rate):
    """Add a sound from a moment on, as far as the part goes."""
    first = int(start * sample_rate)
    stop = min(len(part), first + len(sound))
    part[first:stop] += sound[: max(0, stop - first)]
