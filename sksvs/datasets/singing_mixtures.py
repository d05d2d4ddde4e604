"""Synthesise songs: a sung voice over chords, bass and drums."""

from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.signal import butter, sosfilt
from sklearn.utils import check_random_state

from sksvs.datasets.bundle import VOICE_AND_REST
from sksvs.datasets.singing_voice import sing

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Chords, one a bar, by the scale degree of their root.
PROGRESSIONS = ((0, 4, 5, 3), (5, 3, 0, 4), (0, 3, 4, 4), (0, 5, 3, 4), (1, 4, 0, 0))
STEMS = ("vocals", "other", "bass", "drums")


def make_singing_mixtures(
    n_tracks: int = 10,
    duration: float = 10.0,
    sample_rate: int = 16000,
    n_channels: int = 1,
    random_state: int | np.random.RandomState | None = None,
    *,
    sources: Sequence[str] = VOICE_AND_REST,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Synthesise songs to train on: a sung voice over chords, bass and drums.

    Every track has its own singer (pitch range, vocal tract, vibrato), melody, tempo, key, chord
    progression, timbres, drum pattern and levels. The voice is a train of glottal pulses filtered
    by formants that move from vowel to vowel, with vibrato, onsets, consonants and rests.

    Parameters
    ----------
    n_tracks : int, default=10
    duration : float, default=10.0
        Of every track, in seconds.
    sample_rate : int, default=16000
        In Hz.
    n_channels : {1, 2}, default=1
        Mono, or stereo with the instruments panned.
    random_state : int, RandomState or None, default=None
    sources : sequence of str, default=("vocals", "accompaniment")
        What `y` holds, in this order: "vocals", "bass", "drums", "other" (the chords), and
        "accompaniment", the sum of all that is not asked for by name. They add up to the mixture.

    Returns
    -------
    X : list of array of float32, each (n_samples,) or (n_samples, 2)
        The mixtures: exactly the sums of their sources, with a peak of 0.8 of full scale.
    y : list of array of float32, each (n_sources, n_samples) or (n_sources, n_samples, 2)
        The sources; by default the voice and the accompaniment.

    Raises
    ------
    ValueError
        If a number is out of range, or the sources do not name every part of the song once.

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
    parts = _parts_of(sources)
    rng = check_random_state(random_state)
    songs = [
        _make_song(duration, sample_rate, n_channels, parts, np.random.RandomState(seed))
        for seed in rng.randint(2**31 - 1, size=n_tracks)
    ]
    return [sources.sum(axis=0) for sources in songs], songs


def _parts_of(sources):
    """Return for every source the indices in STEMS of the parts that are summed into it."""
    rest = [i for i, stem in enumerate(STEMS) if stem not in sources]
    indices = {stem: [i] for i, stem in enumerate(STEMS)} | {"accompaniment": rest}
    parts = [indices.get(name, []) for name in sources]
    if [] in parts or sorted(sum(parts, [])) != list(range(len(STEMS))):
        raise ValueError(
            f"sources must name {', '.join(STEMS)}, each once, and accompaniment for those that "
            f"are left; got {sources!r}."
        )
    return parts


class _Song(NamedTuple):
    """What the parts of a song have in common; `beat` and `duration` are in seconds."""

    duration: float
    beat: float
    scale: tuple[int, ...]
    root: int
    progression: tuple[int, ...]
    n_samples: int
    sample_rate: int
    rng: np.random.RandomState

    def pitch(self, degree):
        """Return the MIDI pitch of a degree of the scale, counted on through the octaves."""
        return self.root + 12 * (degree // 7) + self.scale[degree % 7]


def _make_song(duration, sample_rate, n_channels, parts_of_sources, rng):
    """Return the sources of one song, each the sum of some parts."""
    song = _Song(
        duration,
        60 / rng.uniform(80, 140),
        SCALES[("major", "minor")[rng.randint(2)]],
        rng.randint(45, 57),  # MIDI: A2 to G#3
        PROGRESSIONS[rng.randint(len(PROGRESSIONS))],
        round(duration * sample_rate),
        sample_rate,
        rng,
    )
    voice = sing(_melody(song), song.n_samples, sample_rate, rng)
    parts = [voice, _chords(song), _bass(song), _drums(song)]
    # In dB against the voice, each measured where it sounds.
    levels = [0.0, rng.uniform(-6, -1), rng.uniform(-7, -3), rng.uniform(-10, -5)]
    panned = []
    for part, level, is_central in zip(parts, levels, (True, False, True, False)):
        position = 0.0 if is_central else rng.uniform(-0.7, 0.7)
        gain = 10 ** (level / 20) / _rms_while_sounding(part, sample_rate)
        panned.append(_pan(gain * part, position, n_channels))
    sources = np.stack([sum(panned[i] for i in parts) for parts in parts_of_sources])
    peak = np.abs(sources.sum(axis=0)).max() or 1.0
    return (0.8 / peak * sources).astype(np.float32)


def _rms_while_sounding(part, sample_rate):
    """Return the RMS over the stretches of 50 ms that are not nearly silent."""
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


def _melody(song):
    """Return notes ``(start, length, midi_pitch)``: a walk on the scale, in phrases with rests."""
    rng, notes = song.rng, []
    time = song.beat * rng.uniform(0, 0.5)
    octave = rng.choice([0, 12])  # a low or a high voice
    degree = rng.randint(0, 7)
    while time < song.duration:
        for _ in range(rng.randint(3, 8)):
            length = song.beat * rng.choice([0.5, 0.5, 1.0, 1.0, 1.5, 2.0])
            degree = int(np.clip(degree + rng.randint(-2, 3), -2, 9))
            if time + length > song.duration:
                break
            notes.append((time, 0.95 * length, song.pitch(degree) + octave))
            time += length
        time += song.beat * rng.choice([0.5, 1.0, 2.0])
    return notes or [(0.0, song.duration, song.root + octave)]


def _chords(song):
    """Return chords that are sustained for a bar, or struck two or four times in it."""
    rng = song.rng
    sustained = rng.random_sample() < 0.5
    brightness = rng.uniform(1.0, 2.2)
    strokes = 1 if sustained else rng.choice([2, 4])

    def draw_decay():
        return 10.0 if sustained else rng.uniform(0.3, 0.8)

    return _strike(song, strokes, (0, 2, 4), 0, draw_decay, brightness)


def _bass(song):
    """Return the roots of the chords, struck once or twice a beat."""
    return _strike(song, 4 * song.rng.choice([1, 2]), (0,), -12, lambda: 0.5, 2.0)


def _strike(song, strokes, steps, transposition, draw_decay, brightness):
    """Return the progression, a bar of four beats a chord, each struck so many times a bar.

    A chord is made of these steps of the scale above its root, moved by so many semitones.
    """
    part, length = np.zeros(song.n_samples), 4 * song.beat / strokes
    for i in range(int(np.ceil(song.duration / (4 * song.beat)))):
        root = song.progression[i % len(song.progression)]
        for stroke in range(strokes):
            for step in steps:
                pitch = song.pitch(root + step) + transposition
                tone = _tone(length, pitch, draw_decay(), brightness, song)
                _add(part, 4 * song.beat * i + stroke * length, tone, song)
    return part


def _drums(song):
    """Return kick and snare by turns on the beats, and one, two or four hi-hats a beat."""
    part, rng, sample_rate = np.zeros(song.n_samples), song.rng, song.sample_rate
    hats = rng.choice([1, 2, 4])
    highest = min(0.45 * sample_rate, 6000.0)
    highpass = butter(2, highest / 1.2, "highpass", fs=sample_rate, output="sos")
    seconds = np.arange(int(0.3 * sample_rate)) / sample_rate
    for i in range(int(np.ceil(song.duration / song.beat))):
        if i % 2 == 0:  # kick: a falling sine
            sound = np.sin(2 * np.pi * (50 * seconds - 8 * np.exp(-seconds / 0.03)))
            sound *= 2.0 * np.exp(-seconds / 0.08)
        else:  # snare: noise and a tone
            sound = 0.7 * rng.standard_normal(len(seconds)) * np.exp(-seconds / 0.07)
            sound += 0.5 * np.sin(2 * np.pi * 190 * seconds) * np.exp(-seconds / 0.05)
        _add(part, i * song.beat, sound, song)
        for j in range(hats):
            noise = sosfilt(highpass, rng.standard_normal(int(0.08 * sample_rate)))
            noise *= 0.5 * np.exp(-np.arange(len(noise)) / (0.02 * sample_rate))
            _add(part, (i + j / hats) * song.beat, noise, song)
    return part


def _tone(length, pitch, decay, brightness, song):
    """Return a decaying tone of up to 20 harmonics, the k-th of amplitude ``k**-brightness``."""
    frequency = 440 * 2 ** ((pitch - 69 + song.rng.normal(0, 0.04)) / 12)
    seconds = np.arange(int(length * song.sample_rate)) / song.sample_rate
    tone = np.zeros(len(seconds))
    for k in range(1, min(20, int(0.45 * song.sample_rate / frequency)) + 1):
        phase = song.rng.uniform(0, 2 * np.pi)
        tone += np.sin(2 * np.pi * k * frequency * seconds + phase) / k**brightness
    tone *= np.exp(-seconds / decay)
    return tone * np.clip(seconds / 0.01, 0, 1) * np.clip((length - seconds) / 0.02, 0, 1)


def _add(part, start, sound, song):
    """Add a sound that starts at `start` (in seconds), as far as the part goes."""
    first = int(start * song.sample_rate)
    stop = min(len(part), first + len(sound))
    part[first:stop] += sound[: max(0, stop - first)]
