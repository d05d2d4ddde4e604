"""Correlations of sources with delayed sources, by block FFT, in memory that does not grow."""

from typing import NamedTuple

import numpy as np
import scipy.fft

BLOCK_LENGTH = 16384


class Correlations(NamedTuple):
    """Inner products of signals with delayed signals, zero outside the range they come from.

    All are sums over samples, so the correlations of a range are those of its pieces plus those
    across the joins between them.

    Attributes
    ----------
    references : array of float64, shape (n_rows, n_rows, 2 * n_lags - 1)
        ``sum_n s_i(n) s_j(n + lag)`` for lags ``1 - n_lags`` to ``n_lags - 1``.
    estimates : array of float64, shape (n_rows, n_estimate_rows, n_lags)
        ``sum_n s_i(n) e_j(n + lag)`` for lags 0 to ``n_lags - 1``.
    energies : array of float64, shape (n_estimate_rows,)
        ``sum_n e_j(n)^2``.
    """

    references: np.ndarray
    estimates: np.ndarray
    energies: np.ndarray

    def __add__(self, other):
        return Correlations(*(a + b for a, b in zip(self, other)))


def correlate_ranges(references, estimates, ranges, n_lags, block_length=BLOCK_LENGTH):
    """Return the correlations of the whole signals and of every range of samples.

    The signals are cut at the ends of all ranges, so that ranges that overlap, and the whole,
    share the work: each sample is transformed once.

    Parameters
    ----------
    references, estimates : function of (start, stop)
        Gives float64 samples of shape (n_rows, stop - start).
    ranges : list of (start, stop)
        In samples; the last stop may lie anywhere. The first item stands for the whole.
    n_lags : int
    block_length : int
        Samples transformed at once. It changes the memory needed and the last digits only.

    Returns
    -------
    list of Correlations
        One for each range.
    """
    cuts = sorted({edge for pair in ranges for edge in pair})
    if any(b - a < n_lags - 1 for a, b in zip(cuts[1:-2], cuts[2:-1])):
        # A delay may reach over more than one cut: take the ranges one by one.
        return [
            _correlate(references, estimates, start, stop, n_lags, block_length)
            for start, stop in ranges
        ]
    pieces = [
        _correlate(references, estimates, start, stop, n_lags, block_length)
        for start, stop in zip(cuts[:-1], cuts[1:])
    ]
    joins = [
        _correlate_across(references, estimates, *around, n_lags)
        for around in zip(cuts[:-2], cuts[1:-1], cuts[2:])
    ]
    totals = []
    for start, stop in ranges:
        first, last = cuts.index(start), cuts.index(stop) - 1
        total = pieces[first]
        for i in range(first, last):
            total = total + joins[i] + pieces[i + 1]
        totals.append(total)
    return totals


def _correlate(references, estimates, start, stop, n_lags, block_length):
    """Return the correlations of one range.

    The samples are cut into blocks of n, without zeros between, and the circular correlations of
    the blocks add up in the frequency domain: one FFT a sample and signal. What a circular
    correlation gets wrong lies around the ends of a block, where its last samples meet its own
    first ones in place of those of the next block. Tails against the difference of these two
    heads, by an FFT of 2 * n_lags samples, set it right.
    """
    n_blocks = -(-(stop - start) // max(block_length, 2 * n_lags))
    n = scipy.fft.next_fast_len(max(-(-(stop - start) // n_blocks), 2 * n_lags), real=True)
    n_tail = n_lags - 1
    size = scipy.fft.next_fast_len(2 * n_lags, real=True)
    n_rows = len(references(start, start))
    whole = energies = around = None
    for a in range(start, stop, n):
        # One block and the head of the next, with zeros after the end.
        b = min(a + n + n_tail, stop)
        samples = np.concatenate([references(a, b), estimates(a, b)])
        if samples.shape[1] < n + n_tail:
            samples = np.pad(samples, ((0, 0), (0, n + n_tail - samples.shape[1])))
        block, head = samples[:, :n], samples[:, n:]
        products = _products(block, block, n_rows, n)
        tail_and_head = np.zeros((len(samples), size))
        tail_and_head[:, n_tail : 2 * n_tail] = head - block[:, :n_tail]
        corrections = _products(block[:, n - n_tail :], tail_and_head, n_rows, size)
        squares = np.einsum("ij,ij->i", block[n_rows:], block[n_rows:])
        if whole is None:
            whole, around, energies = products, corrections, squares
        else:
            whole += products
            around += corrections
            energies += squares
    circular = scipy.fft.irfft(whole, n, axis=-1)
    correction = scipy.fft.irfft(around, size, axis=-1)[..., :n_lags]
    forward = circular[..., :n_lags] + correction
    return _assemble(forward, energies, n_rows)


def _correlate_across(references, estimates, before, cut, after, n_lags):
    """Return what a range gains when it does not end at `cut` but goes on."""
    n_tail = n_lags - 1
    size = scipy.fft.next_fast_len(2 * n_lags, real=True)

    def samples(a, b):
        return np.concatenate([references(a, b), estimates(a, b)])

    n_rows = len(references(cut, cut))
    tail = samples(max(before, cut - n_tail), cut)
    head = samples(cut, min(after, cut + n_tail))
    padded_tail = np.zeros((len(tail), n_tail))
    padded_tail[:, n_tail - tail.shape[1] :] = tail
    tail_and_head = np.zeros((len(head), size))
    tail_and_head[:, n_tail : n_tail + head.shape[1]] = head
    products = _products(padded_tail, tail_and_head, n_rows, size)
    forward = scipy.fft.irfft(products, size, axis=-1)[..., :n_lags]
    return _assemble(forward, np.zeros(len(tail) - n_rows), n_rows)


def _products(first, second, n_rows, n):
    """Return the cross spectra of the reference rows of `first` with all rows of `second`."""
    spectra = scipy.fft.rfft(second, n, axis=1)
    own = spectra if first is second else scipy.fft.rfft(first, n, axis=1)
    return own[:n_rows, np.newaxis].conj() * spectra[np.newaxis]


def _assemble(forward, energies, n_rows):
    """Split lags 0 and up of all pairs; negative lags are those of the pair turned round."""
    among = forward[:, :n_rows]
    backward = among.swapaxes(0, 1)[..., :0:-1]
    return Correlations(np.concatenate([backward, among], axis=-1), forward[:, n_rows:], energies)
