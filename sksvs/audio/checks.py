"""Check the shapes, the samples and the sample rates of waveforms."""

import numpy as np

MAX_CHANNELS = 64  # an array with more has its axes swapped
MAX_SAMPLE = 1e30  # largest absolute value: spectra of float32 overflow from 1e36 on


def check_shape(shape, name):
    """Refuse a shape that is not ``(n_samples,)`` or ``(n_samples, n_channels)``."""
    if len(shape) not in (1, 2):
        raise ValueError(
            f"{name} must have shape (n_samples,) or (n_samples, n_channels); got {shape}."
        )
    if 0 in shape:
        raise ValueError(f"{name} is empty: it has shape {shape}.")
    if len(shape) == 2 and shape[1] > MAX_CHANNELS:
        raise ValueError(
            f"{name} must have shape (n_samples, n_channels); got {shape}, which is {shape[1]} "
            "channels. Transpose it if time comes last; sources are given one by one."
        )


def require_finite(samples, name, start):
    """Return the samples, or raise if one is NaN or inf or has more than `MAX_SAMPLE`."""
    if samples.size == 0 or (samples.max() <= MAX_SAMPLE and samples.min() >= -MAX_SAMPLE):
        return samples
    by_time = samples.reshape(len(samples), -1)
    bad, words = ~np.isfinite(by_time), "NaN or inf"
    if not bad.any():
        bad, words = abs(by_time) > MAX_SAMPLE, f"beyond {MAX_SAMPLE:.0e}, where full scale is 1"
    bad = bad.any(axis=1)
    raise ValueError(
        f"{name} has {int(bad.sum())} sample(s) that are {words}, the first at sample "
        f"{start + int(np.argmax(bad))}."
    )


def common_grid(waveforms):
    """Return the shape and the sample rate of waveforms, or raise if theirs differ."""
    first, *others = waveforms
    for other in others:
        if other.shape != first.shape:
            raise ValueError(
                f"{other.name} has shape {other.shape}, but {first.name} has {first.shape}."
            )
    return first.shape, common_rate(waveforms)


def common_rate(waveforms, remedy=""):
    """Return the sample rate of those waveforms that have one, or None; raise if rates differ.

    `remedy` ends the sentence of the error that advises resampling: ", or …".
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
