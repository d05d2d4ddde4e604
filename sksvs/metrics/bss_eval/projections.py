"""Find least-squares distortion filters, and the energies of filtered signals."""

from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.linalg

# The largest relative error of an energy that is computed from correlations: 1e-7 dB.
TOLERANCE = 2e-8
# The rounding error of correlations, relative to the energies of the signals that are combined.
ROUNDING = 16 * np.finfo(float).eps
# A Gram matrix with a smaller reciprocal condition number gets this part of its norm, or more,
# added to its diagonal.
SINGULAR = 1e-15
BLOCK_LENGTH = 16384


class GramMatrix:
    """Inner products of the delayed references, factorised once for all estimates.

    The least-squares problem ``min_f || e - sum_k f_k * s_k ||`` over filters of n_lags taps has
    the normal equations ``G f = d``. G is block Toeplitz and holds the inner products of all pairs
    of delayed references, d those of delayed references with the estimate. References that are
    copies of each other, silent channels, and signals shorter than the filter make G singular. A
    small constant is then added to its diagonal, which gives the projection on the space that the
    references span.

    Parameters
    ----------
    delayed : array, shape (n_rows, n_rows, n_lags)
        Correlations of the references, as in `Correlations`.
    """

    def __init__(self, delayed):
        n_rows, _, n_lags = delayed.shape
        # Scale the references to equal energy, so that a soft one does not make G singular.
        levels = np.sqrt(delayed[range(n_rows), range(n_rows), 0])
        levels[levels == 0] = 1
        gram = np.empty((n_rows, n_lags, n_rows, n_lags))
        for i, j in np.ndindex(n_rows, n_rows):
            block = scipy.linalg.toeplitz(delayed[i, j], delayed[j, i])
            gram[i, :, j] = block / (levels[i] * levels[j])
        self._scale = np.repeat(1 / levels, n_lags)[:, np.newaxis]
        self._factor = _factorise(gram.reshape(n_rows * n_lags, -1))

    def filters(self, products):
        """Return the filters of the references whose sum is closest to an estimate.

        Parameters
        ----------
        products : array, shape (n_rows, n_columns, n_lags)
            Inner products of the delayed references with the channels of estimates.

        Returns
        -------
        array, shape (n_rows, n_columns, n_lags)
        """
        n_rows, n_columns, n_lags = products.shape
        right = products.swapaxes(1, 2).reshape(n_rows * n_lags, n_columns)
        solution = self._scale * scipy.linalg.cho_solve((self._factor, True), self._scale * right)
        return solution.reshape(n_rows, n_lags, n_columns).swapaxes(1, 2)


def _factorise(gram):
    """Return the lower Cholesky factor of a Gram matrix, regularised if it is nearly singular."""
    norm = np.abs(gram).sum(axis=0).max()
    for loading in (0, SINGULAR, 10 * SINGULAR, 100 * SINGULAR, 1000 * SINGULAR):
        loaded = gram.T.copy(order="F")  # the order of LAPACK, which writes the factor into it
        loaded[range(len(gram)), range(len(gram))] += loading * norm
        factor, failed = scipy.linalg.lapack.dpotrf(
            loaded, lower=True, overwrite_a=True, clean=False
        )
        if not failed:
            reciprocal, _ = scipy.linalg.lapack.dpocon(factor, norm, uplo="L")
            if loading or reciprocal > SINGULAR:
                break
    return factor


class Combination(NamedTuple):
    """A weighted estimate plus filtered references: ``w e_c + sum_k f_kc * s_k``.

    Attributes
    ----------
    weight : float
    estimate_rows : slice
        The rows of the signals that are the channels c of the estimate.
    reference_rows : slice
        The rows k.
    filters : array, shape (n_reference_rows, n_channels, n_lags)
    """

    weight: float
    estimate_rows: slice
    reference_rows: slice
    filters: np.ndarray


def energies(combination, signals, ranges, correlations):
    """Return the energy of a combination over all its channels, in each of several ranges.

    No signal is filtered: the energy is linear in the correlations of a range. With the
    autocorrelations a of the filters, ``|| sum_k f_k * s_k ||^2 = sum_kl sum_lag a_kl(lag)
    r_kl(lag)``, where ``a_kl(lag) = sum_m f_k(m + lag) f_l(m)`` and r are the correlations of
    the references. Only if so much cancels that the error may exceed 1e-7 dB are the samples of the
    combination computed, block by block, and their squares added up.

    Parameters
    ----------
    combination : Combination
    signals : Signals
    ranges : list of (start, stop)
    correlations : list of Correlations
        One for every range.

    Returns
    -------
    array of float64, shape (n_ranges,)
    """
    weight, estimate_rows, reference_rows, filters = combination
    n_lags = filters.shape[-1]
    n = scipy.fft.next_fast_len(2 * n_lags, real=True)
    spectra = scipy.fft.rfft(filters, n)
    own = scipy.fft.irfft(np.einsum("kcf,lcf->klf", spectra, spectra.conj()), n)[..., :n_lags]
    # The negative lags of k, l are the positive ones of l, k, so these count twice.
    among = own * np.where(np.arange(n_lags) == 0, 1, 2)
    spread = np.sqrt(np.linalg.norm(own[range(len(own)), range(len(own))], axis=-1))

    found = np.empty(len(ranges))
    for i, (window, (delayed, powers)) in enumerate(zip(ranges, correlations)):
        power = powers[estimate_rows].sum()
        total = (
            weight**2 * power
            + 2 * weight * np.vdot(filters, delayed[reference_rows, estimate_rows])
            + np.vdot(among, delayed[reference_rows, reference_rows])
        )
        # How large the signals are that are combined, spectral peaks of the filters included.
        size = abs(weight) * np.sqrt(power) + np.sqrt(powers[reference_rows]) @ spread
        if total < ROUNDING / TOLERANCE * size**2:
            total = _summed_energy(combination, signals, *window)
        found[i] = total
    return found


def _summed_energy(combination, signals, start, stop):
    """Return the energy of a combination in one range from its samples."""
    weight, estimate_rows, reference_rows, filters = combination
    n_tail = filters.shape[-1] - 1
    n = scipy.fft.next_fast_len(BLOCK_LENGTH + n_tail, real=True)
    spectra = scipy.fft.rfft(filters, n)
    total = 0.0
    for a in range(start, stop + n_tail, BLOCK_LENGTH):
        # The references from n_tail samples before the block, zero outside the range.
        b = min(a + BLOCK_LENGTH, stop + n_tail)
        first, last = max(a - n_tail, start), min(b, stop)
        samples = np.zeros((signals.n_rows, n))
        samples[:, first - (a - n_tail) : last - (a - n_tail)] = signals.read(first, last)
        filtered = np.einsum("kf,kcf->cf", scipy.fft.rfft(samples[reference_rows]), spectra)
        combined = scipy.fft.irfft(filtered, n) + weight * samples[estimate_rows]
        total += np.sum(combined[:, n_tail : n_tail + b - a] ** 2)
    return total
