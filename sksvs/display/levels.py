"""Measure the levels of a file in one pass: peak, RMS, clipping, what its downmix keeps."""

from typing import NamedTuple

import numpy as np

from sksvs.audio import to_mono

FULL_SCALE = 0.999
MIN_RUN = 3  # consecutive samples at full scale: fewer may be a peak
OUT_OF_PHASE = -6.0  # dB that the downmix of a song has of the power of its channels at least


class Levels(NamedTuple):
    """The levels of a waveform.

    Attributes
    ----------
    peak, rms : float
        In dB of full scale; the RMS is over all channels. -inf for silence.
    n_clipped : int
        How often a channel stays at full scale for three samples or more.
    first_clipped : float or None
        When it first does, in seconds.
    downmix : float
        Power of the mean of the channels over the mean power of the channels, in dB: 0 for equal
        channels, -3 for unrelated ones, -inf where they cancel each other.
    """

    peak: float
    rms: float
    n_clipped: int
    first_clipped: float | None
    downmix: float


def measure_levels(waveform):
    """Measure a waveform of known sample rate, a block at a time.

    Parameters
    ----------
    waveform : Waveform

    Returns
    -------
    Levels

    Examples
    --------
    >>> from sksvs.audio import ArrayWaveform
    >>> measure_levels(ArrayWaveform(np.array([[0.5, 0.5], [-0.5, -0.5]]), 8000)).downmix
    0.0
    """
    peak, squares, downmix, n_clipped, first_clipped, start = 0.0, 0.0, 0.0, 0, None, 0
    tail = np.zeros((MIN_RUN, waveform.n_channels), bool)  # of the block before
    for block in waveform.blocks():
        magnitudes = np.abs(block).reshape(len(block), -1)
        peak = max(peak, float(magnitudes.max()))
        squares += float(np.square(magnitudes, dtype=np.float64).sum()) / waveform.n_channels
        downmix += float(np.square(to_mono(block), dtype=np.float64).sum())
        full = np.concatenate([tail, magnitudes >= FULL_SCALE])
        # A run is counted at its third sample: the one before the first of them is not full.
        runs = ~full[:-MIN_RUN] & full[1:-2] & full[2:-1] & full[MIN_RUN:]
        if first_clipped is None and runs.any():
            sample = start + int(np.argmax(runs.any(axis=1))) - MIN_RUN + 1
            first_clipped = sample / waveform.sample_rate
        n_clipped += int(runs.sum())
        tail, start = full[-MIN_RUN:], start + len(block)
    rms = squares / waveform.n_samples
    ratio = downmix / squares if squares else 1.0
    return Levels(
        _decibels(peak**2), _decibels(rms), n_clipped, first_clipped, _decibels(min(ratio, 1.0))
    )


def song_warnings(levels):
    """Return what the levels of a song say about the separation of it, as sentences.

    Parameters
    ----------
    levels : Levels
        Of the song.

    Returns
    -------
    list of str
    """
    found = []
    if levels.n_clipped:
        when = f"{int(levels.first_clipped // 60)}:{levels.first_clipped % 60:04.1f}"
        found.append(
            f"The song is clipped: a channel stays at full scale {levels.n_clipped} times, first "
            f"at {when}. The distortion is in the stems too."
        )
    if levels.downmix < OUT_OF_PHASE:
        found.append(
            f"The channels are out of phase: their mean has {levels.downmix:.1f} dB of their "
            "power. A network that separates the mean misses what cancels in it."
        )
    return found


def _decibels(power):
    return float(10 * np.log10(power)) if power > 0 else -np.inf
