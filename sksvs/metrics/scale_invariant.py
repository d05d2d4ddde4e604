"""The scale-invariant SDR, which allows a gain of the estimate and no other filter."""

import numpy as np
import numpy.typing as npt

from sksvs.metrics.bss_eval.comparison import check_signals
from sksvs.metrics.bss_eval.decomposition import NOTHING


def si_sdr(references: npt.ArrayLike, estimates: npt.ArrayLike) -> np.ndarray:
    """Return the scale-invariant source to distortion ratio of every estimate.

    ``SI-SDR = ‖a s‖² / ‖a s - e‖²`` with ``a = <e, s> / ‖s‖²``, over all channels together.
    The mean of the signals is not removed.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        The true sources.
    estimates : array of float, of the same shape

    Returns
    -------
    array of float64, shape (n_sources,)
        In dB; inf for a perfect estimate; NaN if the reference or the estimate is silent or the
        estimate holds NaN or inf. The scores of the other sources are not affected.

    Raises
    ------
    ValueError
        If the shapes differ or are not those above, or a reference holds NaN or inf.

    References
    ----------
    J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR – half-baked or well done?",
    ICASSP 2019, equation 4.

    Examples
    --------
    >>> reference, noise = np.eye(2, 1000)[:, np.newaxis]  # orthogonal, of equal energy
    >>> si_sdr(reference, 3 * reference + 0.3 * noise)
    array([20.])
    """
    references, estimates = check_signals(references, estimates, dimensions=(2, 3))
    return np.array([_ratio(s, e) for s, e in zip(references, estimates)])


def _ratio(reference, estimate):
    reference, estimate = (np.ravel(x).astype(np.float64) for x in (reference, estimate))
    energies = np.vdot(reference, reference), np.vdot(estimate, estimate)
    if not np.isfinite(energies[0]):
        raise ValueError("references must be finite; got NaN, inf or values too large.")
    if not np.isfinite(energies[1]) or 0 in energies:
        return np.nan
    target = np.vdot(estimate, reference) / energies[0] * reference
    error = np.sum((target - estimate) ** 2)
    if error < NOTHING * energies[1]:
        return np.inf
    with np.errstate(divide="ignore"):
        return 10 * np.log10(np.vdot(target, target) / error)
