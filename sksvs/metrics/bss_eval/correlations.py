"""Correlate references with delayed signals, by FFTs of blocks, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np
import scipy.fft

from sksvs.system.threads import MAX_THREADS, n_threads

BLOCK_LENGTH = 4096  # samples in one transform
BLOCKS_AT_ONCE = 16  # few enough to stay in the processor's cache
PIECE_LENGTH = 1 << 19  # samples that one thread correlates at a time


class Correlations(NamedTuple):
    """Inner products of the references with delayed signals, over one range of samples.

    Outside the range all signals count as zero. The references are the first rows of the signals,
    the estimates the others. All values are sums over samples, so those of a range are the sum of
    those of its pieces and of the joins between the pieces.

    Attributes
    ----------
    delayed : array of float64, shape (n_reference_rows, n_rows, n_lags)
        ``sum_n s_i(n) x_j(n + lag)`` of reference row i and row j, for lags from 0 on. (Negative
        lags of two references i, j are positive ones of j, i.)
    energies : array of float64, shape (n_rows,)
        ``sum_n x_j(n)^2``.
    """

    delayed: np.ndarray
    energies: np.ndarray

    def __add__(self, other):
        return Correlations(*(a + b for a, b in zip(self, other)))


def correlate_ranges(signals, ranges, n_lags):
    """Return the correlations over every range of samples.

    The signals are cut into pieces at the ends of all ranges, and where a piece would be very long,
    so that overlapping ranges share the work: each sample is transformed once. There are as many
    threads as cores, up to four, each with buffers of its own.

    Parameters
    ----------
    signals : Signals
    ranges : list of (start, stop)
        In samples; none is empty.
    n_lags : int
        Delays, from 0 to ``n_lags - 1`` samples.

    Returns
    -------
    list of Correlations
        One for each range.
    """
    cuts = _cuts(ranges)
    with ThreadPoolExecutor(min(n_threads(), MAX_THREADS)) as threads:
        if any(b - a < n_lags - 1 for a, b in zip(cuts[1:-2], cuts[2:-1])):
            # A delay may reach over more than one cut: take the ranges one by one.
            return list(threads.map(lambda r: _correlate(signals, *r, n_lags), ranges))
        pieces = [
            threads.submit(_correlate, signals, start, stop, n_lags)
            for start, stop in zip(cuts[:-1], cuts[1:])
        ]
        joins = [
            threads.submit(_correlate_across, signals, *around, n_lags)
            for around in zip(cuts[:-2], cuts[1:-1], cuts[2:])
        ]
    totals = []
    for start, stop in ranges:
        first, last = cuts.index(start), cuts.index(stop)
        parts = pieces[first:last] + joins[first : last - 1]
        totals.append(reduce(add, (part.result() for part in parts)))
    return totals


def _cuts(ranges):
    """Return the ends of all ranges in order, and more between those that are far apart."""
    edges = sorted({edge for pair in ranges for edge in pair})
    cuts = edges[:1]
    for start, stop in zip(edges[:-1], edges[1:]):
        n_pieces = -(-(stop - start) // PIECE_LENGTH)
        cuts += [start + (stop - start) * (k + 1) // n_pieces for k in range(n_pieces)]
    return cuts


def _correlate(signals, start, stop, n_lags):
    """Return the correlations over one range.

    The samples are cut into blocks of n without zero padding, and the circular correlations of the
    blocks add up in the frequency domain: one FFT a sample and row. A circular correlation is wrong
    at the end of a block, where it pairs the last samples, the tail, with the first ones of the
    same block, its head, instead of the head of the next block. The correlation of the tail with
    the difference of the two heads, by an FFT of 2 * n_lags samples, corrects this.
    """
    n = scipy.fft.next_fast_len(max(min(BLOCK_LENGTH, stop - start), 2 * n_lags), real=True)
    n_blocks = min(BLOCKS_AT_ONCE, -(-(stop - start) // n))
    n_tail, n_rows, step = n_lags - 1, signals.n_rows, n * n_blocks
    blocks, ends = _CrossSpectra(signals, n), _CrossSpectra(signals, _join_length(n_lags))
    tails, heads = np.zeros((2, n_rows, n_blocks, ends.n))
    samples = np.zeros((n_rows, step + n_tail))
    energies = np.zeros(n_rows)
    for a in range(start, stop, step):
        # Blocks and the head of the next one, with zeros after the end.
        b = min(a + step + n_tail, stop)
        samples[:, : b - a] = signals.read(a, b)
        samples[:, b - a :] = 0
        block = samples[:, :step].reshape(n_rows, n_blocks, n)
        blocks.add(block, block)
        tails[..., :n_tail] = block[..., n - n_tail :]
        heads[:, :-1, n_tail : 2 * n_tail] = block[:, 1:, :n_tail]
        heads[:, -1, n_tail : 2 * n_tail] = samples[:, step:]
        heads[..., n_tail : 2 * n_tail] -= block[..., :n_tail]
        ends.add(tails, heads)
        energies += np.einsum("ij,ij->i", samples[:, :step], samples[:, :step])
    return Correlations(blocks.correlations(n_lags) + ends.correlations(n_lags), energies)


def _correlate_across(signals, before, cut, after, n_lags):
    """Return the correlations of samples before `cut` with samples after it: those of a join."""
    n_tail = n_lags - 1
    ends = _CrossSpectra(signals, _join_length(n_lags))
    tails, heads = np.zeros((2, signals.n_rows, 1, ends.n))
    tail = signals.read(max(before, cut - n_tail), cut)
    head = signals.read(cut, min(after, cut + n_tail))
    tails[:, 0, n_tail - tail.shape[1] : n_tail] = tail
    heads[:, 0, n_tail : n_tail + head.shape[1]] = head
    ends.add(tails, heads)
    return Correlations(ends.correlations(n_lags), np.zeros(signals.n_rows))


def _join_length(n_lags):
    return scipy.fft.next_fast_len(2 * n_lags, real=True)


class _CrossSpectra:
    """The sum over blocks of n samples of the cross spectra of references with all rows."""

    def __init__(self, signals, n):
        self.n = n
        n_references = signals.reference_rows().stop
        self._sums = np.zeros((n_references, signals.n_rows, n // 2 + 1), complex)

    def add(self, first, second):
        """Add the cross spectra of blocks: `first` and `second` are (n_rows, n_blocks, n)."""
        spectra = scipy.fft.rfft(second)
        references = first[: len(self._sums)]
        own = spectra if first is second else scipy.fft.rfft(references)
        for total, reference in zip(self._sums, own):
            total += (reference.conj() * spectra).sum(axis=1)

    def correlations(self, n_lags):
        """Return the circular correlations at lags from 0 on."""
        return scipy.fft.irfft(self._sums, self.n)[..., :n_lags]
