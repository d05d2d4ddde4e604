"""Bring the tracks of several corpora to one sample rate."""

from collections.abc import Sequence

from sksvs.audio import Sources, Waveform
from sksvs.audio.resampling import Resampled


def resample_tracks(
    X: Sequence[Waveform], y: Sequence[Sources], sample_rate: int
) -> tuple[list[Waveform], list[Sources]]:
    """View tracks at one sample rate, so that sources of different corpora can be mixed.

    Parameters
    ----------
    X : list of Waveform, each (n_samples,) or (n_samples, n_channels)
        With known sample rates.
    y : list of Sources
        The sources of every track.
    sample_rate : int
        In Hz.

    Returns
    -------
    X : list of Waveform
    y : list of Sources
        Lazy views, under the same names: a range is resampled when it is read. What has this rate
        already is returned as it is.

    Raises
    ------
    ValueError
        If a track does not know its sample rate, or `sample_rate` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sksvs.audio import ArrayWaveform
    >>> X = [ArrayWaveform(np.ones(800), 8000)]
    >>> y = [Sources([ArrayWaveform(np.ones(800), 8000)] * 2)]
    >>> X, y = resample_tracks(X, y, 16000)
    >>> X[0].shape, y[0].shape, y[0].sample_rate
    ((1600,), (2, 1600), 16000)
    """
    if not sample_rate > 0:
        raise ValueError(f"sample_rate must be positive, in Hz; got {sample_rate!r}.")
    for x in X:
        if x.sample_rate is None:
            raise ValueError(
                f"{x.name} has no known sample rate, so it cannot be resampled to {sample_rate} "
                "Hz. Give its rate: ArrayWaveform(samples, rate)."
            )
    resampled = [_at_rate(x, sample_rate) for x in X]
    sources = [
        track
        if track.sample_rate == sample_rate
        else Sources([_at_rate(source, sample_rate) for source in track], track.source_names)
        for track in y
    ]
    return resampled, sources


def _at_rate(waveform, sample_rate):
    return waveform if waveform.sample_rate == sample_rate else Resampled(waveform, sample_rate)
