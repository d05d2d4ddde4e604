"""The plain energy ratio of the Music Demixing Challenges, which allows no filter and no gain."""

import numpy as np
import numpy.typing as npt

from sksvs.metrics.bss_eval.comparison import check_signals
from sksvs.metrics.bss_eval.signals import signal_energy

DELTA = 1e-7  # what the challenges add to both energies


def usdr(references: npt.ArrayLike, estimates: npt.ArrayLike) -> np.ndarray:
    """Return the uSDR of every estimate: the energy of its reference over that of its error.

    ``uSDR = 10 log10((‖s‖² + δ) / (‖s - e‖² + δ))`` with ``δ = 1e-7``, over all samples and
    channels together, without filters, gains or windows. δ is that of the challenges: it bounds
    the score of a perfect estimate, and does not matter elsewhere unless the audio is very soft.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        The true sources, full scale ±1.
    estimates : array of float, of the same shape

    Returns
    -------
    array of float64, shape (n_sources,)
        In dB; 0 for a silent estimate. NaN if the reference is silent (the challenges'
        formula returns a number there that only tells the level of the estimate) or the estimate
        holds NaN or inf. The scores of the other sources are not affected.

    Raises
    ------
    ValueError
        If the shapes differ or are not those above, or a reference holds NaN or inf.

    References
    ----------
    Y. Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing 1, 2022
    (the metric). Y. Luo and J. Yu, "Music source separation with band-split RNN", IEEE/ACM TASLP
    31, 2023 (the name uSDR).

    Examples
    --------
    >>> reference, noise = np.eye(2, 1000)[:, np.newaxis]  # orthogonal, of equal energy
    >>> usdr(reference, reference + 0.1 * noise).round(3)
    array([20.])
    """
    references, estimates = check_signals(references, estimates, dimensions=(2, 3))
    return np.array([_ratio(s, e) for s, e in zip(references, estimates)])


def _ratio(reference, estimate):
    energy = signal_energy(reference)
    if not np.isfinite(energy):
        raise ValueError("references must be finite; got NaN, inf or values too large.")
    error = signal_energy(np.subtract(reference, estimate, dtype=np.float64))
    if energy == 0 or not np.isfinite(error):
        return np.nan
    return 10 * np.log10((energy + DELTA) / (error + DELTA))
