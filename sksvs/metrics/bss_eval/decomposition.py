"""Split estimates into target, interference and artifacts, and turn their energies into dB."""

from typing import NamedTuple

import numpy as np

from sksvs.metrics.bss_eval.correlations import correlate_ranges
from sksvs.metrics.bss_eval.projections import Combination, GramMatrix, energies

# Less than this part of an estimate's energy, -200 dB, is rounding: nothing.
NOTHING = 1e-20


class Variant(NamedTuple):
    """Which BSS Eval: what the target is, and what the distortion filters are.

    Attributes
    ----------
    images : bool
        Whether the target is the reference itself, or what a filter makes of it.
    framewise_filters : bool
        Whether every window has filters of its own (version 3), or the whole track has one set
        (version 4).
    filter_length : int
        Taps.
    """

    images: bool
    framewise_filters: bool = True
    filter_length: int = 512

    @property
    def metrics(self):
        """The names of the figures, in order."""
        return ("sdr", "isr", "sir", "sar") if self.images else ("sdr", "sir", "sar")

    def __str__(self):
        kind = "images" if self.images else "sources"
        version = 3 if self.framewise_filters else 4
        if self.filter_length == 1:
            return f"BSS Eval version 2, {kind}, gain only"
        return f"BSS Eval version {version}, {kind}, {self.filter_length} taps"


def measure(signals, pairs, ranges, variant):
    """Return the figures of estimates against references, window by window.

    An estimate e is projected on what filters of `filter_length` taps make of its own reference,
    P_j e, and on what they make of all references, P e. With the references themselves s_j:

    ======  ===========================  =================================
    figure  BSS Eval sources             BSS Eval images (and version 4)
    ======  ===========================  =================================
    SDR     ‖P_j e‖² / ‖e - P_j e‖²      ‖s_j‖² / ‖e - s_j‖²
    ISR                                  ‖s_j‖² / ‖P_j e - s_j‖²
    SIR     ‖P_j e‖² / ‖P e - P_j e‖²    ‖P_j e‖² / ‖P e - P_j e‖²
    SAR     ‖P e‖² / ‖e - P e‖²          ‖P e‖² / ‖e - P e‖²
    ======  ===========================  =================================

    Images project every channel of the estimate on all channels of the references. A window is
    taken out of its track: beyond it, everything counts as zero.

    Parameters
    ----------
    signals : Signals
    pairs : list of (estimate, reference)
        Which estimate to compare with which reference.
    ranges : list of (start, stop)
        The windows, in samples.
    variant : Variant

    Returns
    -------
    array of float64, shape (n_metrics, n_pairs, n_windows)
        In dB, in the order of ``variant.metrics``. NaN where the window has a silent reference,
        or the estimate is silent in it.

    References
    ----------
    E. Vincent, R. Gribonval and C. Févotte, "Performance measurement in blind audio source
    separation", IEEE TASLP 14(4), 2006 (sources). E. Vincent et al., "The signal separation
    evaluation campaign (2007-2010)", Signal Processing 92, 2012 (images). F.-R. Stöter, A. Liutkus
    and N. Ito, "The 2018 signal separation evaluation campaign", LVA/ICA 2018 (version 4).
    """
    if variant.framewise_filters:
        found = correlate_ranges(signals, ranges, variant.filter_length)
        windows = [([r], [c], c) for r, c in zip(ranges, found)]
    else:
        everything = [(0, signals.n_samples), *ranges]
        whole, *found = correlate_ranges(signals, everything, variant.filter_length)
        windows = [(ranges, found, whole)]
    return np.concatenate([_measure(signals, pairs, *w, variant) for w in windows], axis=-1)


def _measure(signals, pairs, ranges, correlations, learnt, variant):
    """Return the figures of windows, with filters learnt from the correlations `learnt`."""
    powers = np.array([c.energies for c in correlations])
    references = powers[:, : signals.n_reference_rows].reshape(len(ranges), -1, signals.n_channels)
    figures = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    kept = np.flatnonzero(references.any(axis=-1).all(axis=-1))  # no reference is silent
    if not kept.size:
        return figures
    windows = (signals, [ranges[i] for i in kept], [correlations[i] for i in kept])
    filters = _Filters(signals, learnt)
    for p, (estimate, reference) in enumerate(pairs):
        rows = signals.rows_of(signals.n_references + estimate)
        power = powers[kept, rows].sum(axis=1)
        if not power.any():
            continue
        ratios = _ratios(signals, estimate, reference, filters, variant.images)
        for metric, parts in enumerate(ratios):
            numerator, denominator = (energies(part, *windows) for part in parts)
            figures[metric, p, kept] = _decibels(numerator, denominator, power)
    return figures


def _decibels(numerator, denominator, power):
    """Return ratios of energies in dB, NaN where the estimate's own energy, `power`, is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        numerator, denominator = (
            np.where(energy > NOTHING * power, energy, 0) / power
            for energy in (numerator, denominator)
        )
        return 10 * np.log10(numerator / denominator)


class _Filters:
    """The distortion filters of every estimate; Gram matrices are factorised once for all."""

    def __init__(self, signals, learnt):
        self._signals, self._learnt = signals, learnt
        self._grams, self._found = {}, {}

    def __call__(self, estimate, reference=None):
        """Return filters from one reference, or from all, to an estimate."""
        if (estimate, reference) not in self._found:
            signals, delayed = self._signals, self._learnt.delayed
            rows = signals.reference_rows if reference is None else signals.rows_of(reference)
            if reference not in self._grams:
                self._grams[reference] = GramMatrix(delayed[rows, rows])
            columns = signals.rows_of(signals.n_references + estimate)
            found = self._grams[reference].filters(delayed[rows, columns])
            self._found[estimate, reference] = found
        return self._found[estimate, reference]


def _ratios(signals, estimate, reference, filters, images):
    """Return numerator and denominator of every figure, as combinations of the signals."""
    rows = signals.rows_of(signals.n_references + estimate)
    own_rows, all_rows = signals.rows_of(reference), signals.reference_rows
    own, every = filters(estimate, reference), filters(estimate)
    others = every.copy()
    others[own_rows] -= own

    target = Combination(0, rows, own_rows, own)
    projection = Combination(0, rows, all_rows, every)
    interference = Combination(0, rows, all_rows, others)
    artifacts = Combination(1, rows, all_rows, -every)
    last = [(target, interference), (projection, artifacts)]
    if not images:
        return [(target, Combination(1, rows, own_rows, -own)), *last]
    unchanged = np.zeros_like(own)  # every channel of the reference as it is
    unchanged[..., 0] = np.eye(signals.n_channels)
    truth = Combination(0, rows, own_rows, unchanged)
    return [
        (truth, Combination(1, rows, own_rows, -unchanged)),
        (truth, Combination(0, rows, own_rows, own - unchanged)),
        *last,
    ]
