"""Cut every track in time into a part to train on and a part to test on."""

from sksvs.audio import Sources, Waveform
from sksvs.stft.tracks import check_mixtures, check_sources
from sksvs.typing import Mixtures, Truth


def split_tracks(
    X: Mixtures, y: Truth, fraction: float = 0.5
) -> tuple[list[Waveform], list[Waveform], list[Sources], list[Sources]]:
    """Cut every track in time into a part to train on and a part to test on.

    Parameters
    ----------
    X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
        Of any sample rates.
    y : list of array or Sources, each (n_sources, n_samples[, n_channels])
    fraction : float, default=0.5
        Share of the samples that goes into the first part.

    Returns
    -------
    X_first, X_second : list of Waveform
        Lazy views; nothing is read.
    y_first, y_second : list of Sources
        Under the same names; downmixed where the mixture is mono.

    Raises
    ------
    ValueError
        If `y` does not match `X`, a track and its sources have different sample rates, or one of
        the parts of a track would be empty.

    Examples
    --------
    >>> import numpy as np
    >>> sources = np.random.default_rng(0).normal(size=(2, 1000))
    >>> X_train, X_test, y_train, y_test = split_tracks([sources.sum(axis=0)], [sources], 0.7)
    >>> X_train[0].shape, X_test[0].shape, y_test[0].shape
    ((700,), (300,), (2, 300))
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1; got {fraction!r}.")
    mixtures = check_mixtures(X)
    sources = check_sources(y, mixtures, one_rate=False)
    cuts = [round(fraction * mixture.n_samples) for mixture in mixtures]
    for mixture, cut in zip(mixtures, cuts):
        if not 0 < cut < mixture.n_samples:
            raise ValueError(
                f"{mixture.name} has {mixture.n_samples} sample(s), too few to be cut at "
                f"fraction {fraction}."
            )
    first = [m.time_slice(0, cut) for m, cut in zip(mixtures, cuts)]
    second = [m.time_slice(cut, None) for m, cut in zip(mixtures, cuts)]
    whole = [Sources(s, getattr(track, "source_names", None)) for s, track in zip(sources, y)]
    y_first = [track.time_slice(0, cut) for track, cut in zip(whole, cuts)]
    y_second = [track.time_slice(cut, None) for track, cut in zip(whole, cuts)]
    return first, second, y_first, y_second
