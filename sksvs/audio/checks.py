"""What every waveform must be: its shape, its samples, the grid that it shares with others."""

import numpy as np

MOST_CHANNELS = 64  # more is an array that lies on its side
MAX_SAMPLE = 1e30  # of any sample: spectra of float32 overflow from 1e36 on


def check_shape(shape, name):
    """Refuse a shape that is not ``(n_samples,)`` or ``(n_samples, n_channels)``."""
    if len(shape) not in (1, 2):
        raise ValueError(
            f"{name} must have shape (n_samples,) or (n_samples, n_channels); got {shape}."
        )
    if 0 in shape:
        raise ValueError(f"{name} is empty: it has shape {shape}.")
    if len(shape) == 2 and shape[1] > MOST_CHANNELS:
        raise ValueError(
            f"{name} must have shape (n_samples, n_channels); got {shape}, which is {shape[1]} "
            "channels. Transpose it if time comes last; sources are given one by one."
        )


def check_index(index, n_samples, name):
    """Return the index of a sample counted from the start; raise IndexError where there is none."""
    if not -n_samples <= index < n_samples:
        raise IndexError(f"{name} has {n_samples} sample(s), so there is no sample {index}.")
    return int(index) % n_samples


def integer_remedy(dtype):
    """Return what to do about integer samples; nothing where they are not signed integers."""
    if not np.issubdtype(dtype, np.signedinteger):
        return ""
    return f" Divide {dtype} samples of full range by {-float(np.iinfo(dtype).min):.0f}."


def require_finite(samples, name, start):
    """Return the samples; raise if there is a NaN, an inf, or what overflows among them."""
    if samples.size == 0 or (samples.max() <= MAX_SAMPLE and samples.min() >= -MAX_SAMPLE):
        return samples
    by_time = samples.reshape(len(samples), -1)
    for bad, words in (
        (~np.isfinite(by_time), "NaN or inf"),
        (np.abs(by_time) > MAX_SAMPLE, f"beyond {MAX_SAMPLE:.0e}, where full scale is 1"),
    ):
        bad = bad.any(axis=1)
        if bad.any():
            raise ValueError(
                f"{name} has {int(bad.sum())} sample(s) that are {words}, the first at sample "
                f"{start + int(np.argmax(bad))}."
            )
    return samples


def common_grid(waveforms):
    """Return the shape and the sample rate that all of these waveforms have, or raise."""
    first, *others = waveforms
    for other in others:
        if other.shape != first.shape:
            raise ValueError(
                f"{other.name} has shape {other.shape}, but {first.name} has {first.shape}."
            )
    return first.shape, common_rate(waveforms)


def common_rate(waveforms, remedy=""):
    """Return the sample rate of all of these that have a known one, or raise; None: none has.

    `remedy` is what there is to do beside resampling: ", or …".
    """
    known = [waveform for waveform in waveforms if waveform.sample_rate is not None]
    for waveform in known[1:]:
        if waveform.sample_rate != known[0].sample_rate:
            raise ValueError(
                f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz, but "
                f"{known[0].name} has {known[0].sample_rate} Hz. Resample with "
                f"sksvs.audio.resample{remedy}."
            )
    return known[0].sample_rate if known else None
