"""Ideal masks: computed from the magnitudes of the true sources."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class RatioMask:
    """The function :func:`ideal_ratio_mask` with fixed exponents.

    Parameters
    ----------
    p, v : float, default=1.0
        As for :func:`ideal_ratio_mask`.

    Examples
    --------
    >>> RatioMask(p=2.0)(np.array([[3.0, 0.0], [1.0, 0.0]]))
    array([[0.9, 0.5],
           [0.1, 0.5]])
    """

    p: float = 1.0
    v: float = 1.0

    def __call__(self, magnitudes: npt.ArrayLike) -> np.ndarray:
        """Return masks of the shape of the magnitudes, (n_sources, ...)."""
        return ideal_ratio_mask(magnitudes, self.p, self.v)


def ideal_ratio_mask(magnitudes: npt.ArrayLike, p: float = 1.0, v: float = 1.0) -> np.ndarray:
    """Return the ratio of each source to the sum of all, in every time-frequency bin.

    ``M_j = (|S_j|^p / Σ_k |S_k|^p)^v``. With v = 1 the masks sum to one; with another v they are
    not renormalised (the masks of two equal sources at v = 2 sum to a half). In a bin where every
    source is silent all masks are ``(1 / n_sources)^v``. No constant is added to the denominator,
    so a gain of all sources changes nothing.

    Parameters
    ----------
    magnitudes : array of float, shape (n_sources, ...)
        Not negative; two sources or more.
    p : float, default=1.0
        Exponent of the magnitudes: 1 for a ratio of magnitudes, 2 for one of powers (the Wiener
        filter of uncorrelated sources).
    v : float, default=1.0
        Exponent of the ratio.

    Returns
    -------
    masks : array of float, shape (n_sources, ...)
        In [0, 1], of the dtype of `magnitudes`.

    Raises
    ------
    ValueError, TypeError
        If the magnitudes are negative, NaN or not floating point, there is only one source, or an
        exponent is not positive.

    References
    ----------
    Y. Wang, A. Narayanan and D. Wang, "On training targets for supervised speech separation",
    IEEE/ACM TASLP 22(12), 2014, eq. 1 (p = 2, v = 1/2 there).

    Examples
    --------
    >>> ideal_ratio_mask(np.array([[3.0, 0.0], [1.0, 0.0]]), p=2.0)
    array([[0.9, 0.5],
           [0.1, 0.5]])
    """
    magnitudes = _check_magnitudes(magnitudes)
    for name, value in (("p", p), ("v", v)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"The exponent {name} must be positive and finite; got {value!r}.")
    # Divided by the loudest source, so that no power under- or overflows.
    loudest = magnitudes.max(axis=0)
    silent = loudest == 0
    powers = (magnitudes / np.where(silent, 1, loudest)) ** p
    powers[:, silent] = 1
    return ((powers / powers.sum(axis=0)) ** v).astype(magnitudes.dtype, copy=False)


def ideal_binary_mask(magnitudes: npt.ArrayLike) -> np.ndarray:
    """Return 1 for the loudest source in every time-frequency bin and 0 for the others.

    Of several equally loud sources the last has the 1, so that the voice, which is the first, has
    only bins where it is louder than the others.

    Parameters
    ----------
    magnitudes : array of float, shape (n_sources, ...)

    Returns
    -------
    masks : array of float, shape (n_sources, ...)
        Zeros and ones that sum to one, of the dtype of `magnitudes`.

    References
    ----------
    D. Wang, "On ideal binary mask as the computational goal of auditory scene analysis", 2005.

    Examples
    --------
    >>> ideal_binary_mask(np.array([[3.0, 0.0], [1.0, 0.0]]))
    array([[1., 0.],
           [0., 1.]])
    """
    magnitudes = _check_magnitudes(magnitudes)
    winner = len(magnitudes) - 1 - np.argmax(magnitudes[::-1], axis=0)
    index = np.arange(len(magnitudes)).reshape(-1, *[1] * winner.ndim)
    return (index == winner).astype(magnitudes.dtype)


def _check_magnitudes(magnitudes: npt.ArrayLike) -> np.ndarray:
    magnitudes = np.asarray(magnitudes)
    if not np.issubdtype(magnitudes.dtype, np.floating):
        raise TypeError(f"magnitudes must be floating point; got {magnitudes.dtype}.")
    if magnitudes.ndim == 0 or len(magnitudes) < 2:
        raise ValueError(
            f"magnitudes must have shape (n_sources, ...) with two sources or more; got "
            f"{magnitudes.shape}."
        )
    if not (magnitudes >= 0).all():
        raise ValueError("magnitudes must not be negative or NaN. Take np.abs of the STFT.")
    return magnitudes
