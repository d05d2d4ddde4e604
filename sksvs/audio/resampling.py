"""Change the sample rate of a waveform."""

import soxr

from sksvs.audio.waveform import ArrayWaveform, Waveform


def resample(waveform, sample_rate, new_sample_rate):
    """Return a waveform at another sample rate, by soxr at its high-quality setting.

    Parameters
    ----------
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
        A lazy waveform is read whole.
    sample_rate : int
        The rate of `waveform`, in Hz.
    new_sample_rate : int
        In Hz.

    Returns
    -------
    array or ArrayWaveform
        Of the same kind (for a Waveform, an ArrayWaveform with its new rate), with
        ``round(n_samples * new_sample_rate / sample_rate)`` samples.

    Examples
    --------
    >>> import numpy as np
    >>> resample(np.zeros((44100, 2)), 44100, 16000).shape
    (16000, 2)
    """
    if isinstance(waveform, Waveform):
        if waveform.sample_rate not in (None, sample_rate):
            raise ValueError(
                f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz; got "
                f"sample_rate={sample_rate}."
            )
        samples = resample(waveform[:], sample_rate, new_sample_rate)
        return ArrayWaveform(samples, new_sample_rate, waveform.name)
    for rate in (sample_rate, new_sample_rate):
        if not rate > 0:
            raise ValueError(f"A sample rate must be positive; got {rate!r}.")
    samples = ArrayWaveform(waveform)[:]
    return soxr.resample(samples, sample_rate, new_sample_rate, quality="HQ")
