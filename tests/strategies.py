"""Hypothesis strategies for tiny signals, and small tracks that several tests use."""

import numpy as np
from hypothesis import strategies as st

from sksvs.datasets import make_singing_mixtures

SAMPLE_RATE = 8000


def seeded_noise(shape, seed, scale=1.0):
    """Return reproducible noise: cheaper for hypothesis than drawing every sample."""
    return scale * np.random.default_rng(seed).standard_normal(shape)


def centred_noise(shape, seed, scale=1.0):
    """Return reproducible noise whose channels have no constant, which would be no sound."""
    noise = seeded_noise(shape, seed, scale)
    return noise - noise.mean(axis=0)


@st.composite
def waveforms(draw, max_samples=600, max_channels=2):
    """Draw a waveform of any length from one sample on, mono or with channels, of any level."""
    n_samples = draw(st.integers(1, max_samples))
    channels = draw(st.integers(0, max_channels))  # 0: no channel axis
    scale = draw(st.sampled_from([1e-4, 0.1, 1.0]))
    shape = (n_samples, channels) if channels else (n_samples,)
    return seeded_noise(shape, draw(st.integers(0, 2**31)), scale)


@st.composite
def stft_settings(draw):
    """Draw ``(n_fft, hop_length, window)`` with a stable inverse."""
    n_fft = draw(st.integers(4, 64))
    window = draw(st.sampled_from(["hamming", "hann", "cosine", ("kaiser", 6.0)]))
    return n_fft, draw(st.integers(1, n_fft // 2)), window


@st.composite
def magnitudes(draw, max_sources=4):
    """Draw source magnitudes (n_sources, n_freqs, n_frames) with silent bins among them."""
    n_sources = draw(st.integers(2, max_sources))
    shape = (n_sources, draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    exponents = draw(st.sampled_from([0, 3, 12]))  # how far levels lie apart, in decades
    values = rng.random(shape) * 10 ** rng.uniform(-exponents, 0, shape)
    values[rng.random(shape) < 0.2] = 0
    values[:, rng.random(shape[1:]) < 0.2] = 0
    return values


def leave_system_files(folder, hidden_file="._abjones_1_01.wav"):
    """Put into a folder what operating systems and tools leave in folders."""
    for name in (".@__thumb", ".ipynb_checkpoints", "__MACOSX", "@eaDir", "#recycle", "lost+found"):
        (folder / name).mkdir()
    for name in (hidden_file, "desktop.ini"):
        (folder / name).write_bytes(b"no sound")


def tiny_tracks(n_tracks=3, n_channels=1, duration=0.6, random_state=0):
    """Return ``(X, y)`` of short synthetic songs at 8 kHz."""
    return make_singing_mixtures(n_tracks, duration, SAMPLE_RATE, n_channels, random_state)
