"""Measure the power of a signal by time and mel frequency, and code it as a PNG picture."""

import struct
import zlib

import numpy as np

from sksvs.audio.waveform import ArrayWaveform
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram

MAX_COLUMNS = 1000
N_ROWS = 160
RANGE_DB = 80.0
N_COLOURS = 64
MAX_FREQUENCY = 16000.0  # Hz: few songs have more than noise above it
# The colour map magma of N. Smith and S. van der Walt (CC0), in eight equal steps.
MAGMA = "000004 1d1147 51127c 832681 b73779 e75263 fc8961 fec488 fcfdbf"


def mel(frequency):
    """Return a frequency in mel: ``2595 log10(1 + f / 700)`` (O'Shaughnessy 1987).

    Parameters
    ----------
    frequency : float or array
        In Hz.
    """
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def top_frequency(sample_rate):
    """Return the frequency at the upper edge of pictures: half the rate, 16 kHz at most."""
    return min(sample_rate / 2, MAX_FREQUENCY)


def mel_powers(samples, sample_rate):
    """Return the power of a signal by time and mel frequency, the mean over its channels.

    Windows last about 80 ms. A sine of amplitude 1 has a power of about 1 (0 dB).

    Parameters
    ----------
    samples : array of float, shape (n_samples,) or (n_samples, n_channels)
    sample_rate : int
        In Hz.

    Returns
    -------
    array of float32, shape (160, n_columns)
        Rows at equal steps in mel from 0 Hz to `top_frequency`; up to 1000 columns, which cover the
        signal in equal parts.
    """
    n_samples = len(samples)
    n_fft = max(16, 1 << round(np.log2(0.08 * sample_rate)))
    hop_length = int(np.clip(n_samples // MAX_COLUMNS, n_fft // 8, n_fft // 2))
    spectrogram = Spectrogram(ArrayWaveform(samples), STFTParams(n_fft, hop_length, "hann"))
    params = spectrogram.params
    weights = _mel_weights(params.n_freqs, sample_rate) * 4 / params.transform.win.sum() ** 2
    n_columns = max(1, min(MAX_COLUMNS, n_samples // hop_length))
    powers, counts = np.zeros((n_columns, N_ROWS), np.float32), np.zeros(n_columns)
    for start, frames in spectrogram.blocks():
        energies = np.square(np.abs(frames)).reshape(-1, *frames.shape[-2:]).mean(axis=0)
        indices = start + np.arange(frames.shape[-1])
        centres = params.first_sample(0) + n_fft // 2 + indices * hop_length
        columns = centres * n_columns // n_samples
        inside = (columns >= 0) & (columns < n_columns)
        np.add.at(powers, columns[inside], (weights @ energies).T[inside])
        np.add.at(counts, columns[inside], 1)
    return (powers / counts[:, np.newaxis]).T


def _mel_weights(n_freqs, sample_rate):
    """Return triangles around the rows that are as wide as a row or a bin: (160, n_freqs)."""
    bins = np.linspace(0, sample_rate / 2, n_freqs)
    rows = np.linspace(0, mel(top_frequency(sample_rate)), N_ROWS)
    centres = 700 * (10 ** (rows / 2595) - 1)
    widths = np.maximum(np.gradient(centres), bins[1])[:, np.newaxis]
    weights = np.maximum(0, 1 - np.abs(bins - centres[:, np.newaxis]) / widths)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def decibels(powers):
    """Return powers in dB; silence has -200 dB."""
    return 10 * np.log10(np.maximum(powers, 1e-20))


def mask_between(estimate, mixture):
    """Return the magnitude of an estimate over that of the mixture: 1 where it is as loud or more.

    Parameters
    ----------
    estimate, mixture : array of float, of one shape
        Powers.

    Returns
    -------
    array
        From 0 to 1; 0 where the mixture is silent.
    """
    ratio = np.divide(estimate, mixture, out=np.zeros_like(mixture), where=mixture > 0)
    return np.sqrt(np.minimum(ratio, 1))


def to_png(values):
    """Return a PNG picture of values from 0 to 1 in the colours of magma, dark to light.

    Parameters
    ----------
    values : array of float, shape (n_rows, n_columns)
        Clipped to [0, 1], drawn in 64 colours; row 0 is at the bottom.

    Returns
    -------
    bytes

    Examples
    --------
    >>> to_png(np.zeros((2, 3)))[1:4]
    b'PNG'
    """
    indices = np.rint(np.clip(values, 0, 1) * (N_COLOURS - 1)).astype(np.uint8)[::-1]
    steps = np.array([list(bytes.fromhex(colour)) for colour in MAGMA.split()], float)
    places = np.linspace(0, len(steps) - 1, N_COLOURS)
    palette = [np.interp(places, range(len(steps)), steps[:, i]) for i in range(3)]
    n_rows, n_columns = indices.shape
    lines = np.insert(indices, 0, 0, axis=1)  # every line begins with its filter: none
    chunks = (
        (b"IHDR", struct.pack(">2I5B", n_columns, n_rows, 8, 3, 0, 0, 0)),
        (b"PLTE", np.rint(palette).astype(np.uint8).T.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
