"""Find the part of a track that is shown."""

import numpy as np

STEPS_PER_SECOND = 10


def choose_excerpt(voice, sample_rate, start, duration):
    """Return the first sample of an excerpt and the one after its last.

    Parameters
    ----------
    voice : Waveform
        Read in blocks where `start` is None.
    sample_rate : int
        In Hz.
    start : float or None
        Where the excerpt begins, in seconds. None: where it has the most energy of the voice.
    duration : float or None
        How long it is at most, in seconds; None: to the end of the track.

    Returns
    -------
    start, stop : int

    Raises
    ------
    ValueError
        If the duration is not positive, or the track has no sample after `start`.
    """
    n_samples = voice.n_samples
    if duration is not None and not duration > 0:
        raise ValueError(f"duration must be a positive number of seconds, or None; got {duration}.")
    if start is not None and not 0 <= round(start * sample_rate) < n_samples:
        raise ValueError(
            f"start must be a time of {voice.name}, which lasts {n_samples / sample_rate:.2f} s; "
            f"got {start}."
        )
    length = n_samples if duration is None else max(1, round(duration * sample_rate))
    if start is not None:
        first = round(start * sample_rate)
    elif length >= n_samples:
        first = 0
    else:
        first = _loudest(voice, sample_rate, length)
    return first, min(first + length, n_samples)


def _loudest(waveform, sample_rate, length):
    """Return where a range of `length` samples begins that has the most energy, in steps."""
    step = max(1, sample_rate // STEPS_PER_SECOND)
    energies = []
    for block in waveform.blocks(step * 64):
        squares = np.square(block, dtype=np.float64).reshape(len(block), -1).sum(axis=1)
        energies.append(np.add.reduceat(squares, range(0, len(squares), step)))
    before = np.concatenate([[0.0], np.cumsum(np.concatenate(energies))])
    n_steps = length // step
    sums = before[n_steps:] - before[: len(before) - n_steps]
    return min(int(np.argmax(sums)) * step, waveform.n_samples - length)
