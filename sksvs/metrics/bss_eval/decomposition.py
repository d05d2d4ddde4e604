"""Split estimates into target, interference and artifacts; compare their energies in dB."""

from functools import cache
from typing import NamedTuple

import numpy as np

from sksvs.metrics.bss_eval.correlations import correlate_ranges
from sksvs.metrics.bss_eval.projections import Combination, GramMatrix, energies

# Less than this part of the energy of an estimate, -200 dB, is rounding and counts as zero.
NOTHING = 1e-20


class Variant(NamedTuple):
    """A variant of BSS Eval: its target and its distortion filters.

    Attributes
    ----------
    images : bool
        True: the target is the reference itself. False: it is the filtered reference.
    framewise_filters : bool
        True: every window has filters of its own (version 3). False: the whole track has one set
        (version 4).
    filter_length : int
        Taps.
    """

    images: bool
    framewise_filters: bool = True
    filter_length: int = 512

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the scores, in order."""
        return ("sdr", "isr", "sir", "sar") if self.images else ("sdr", "sir", "sar")

    def __str__(self):
        kind = "images" if self.images else "sources"
        version = 3 if self.framewise_filters else 4
        if self.filter_length == 1:
            return f"BSS Eval version 2, {kind}, gain only"
        return f"BSS Eval version {version}, {kind}, {self.filter_length} taps"


def measure(signals, pairs, ranges, variant):
    """Return the scores of estimates against references, window by window.

    An estimate e is compared with its reference s_j and with two projections, on signals delayed by
    0 to ``filter_length - 1`` samples: P_j e is that on its own reference, P e that on all.

    ======  ===========================  =================================
    score   BSS Eval sources             BSS Eval images (and version 4)
    ======  ===========================  =================================
    SDR     ‖P_j e‖² / ‖e - P_j e‖²      ‖s_j‖² / ‖e - s_j‖²
    ISR                                  ‖s_j‖² / ‖P_j e - s_j‖²
    SIR     ‖P_j e‖² / ‖P e - P_j e‖²    ‖P_j e‖² / ‖P e - P_j e‖²
    SAR     ‖P e‖² / ‖e - P e‖²          ‖P e‖² / ‖e - P e‖²
    ======  ===========================  =================================

    With images, every channel of the estimate is projected on all channels of the references.
    Outside a window all signals count as zero.

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


def _measure(signals, pairs, ranges, correlations, of_filters, variant):
    """Return the scores of windows, with filters computed from the correlations `of_filters`."""
    powers = np.array([c.energies for c in correlations])
    references = powers[:, signals.reference_rows()].reshape(len(ranges), -1, signals.n_channels)
    scores = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    kept = np.flatnonzero(references.any(axis=-1).all(axis=-1))  # no reference is silent
    if not kept.size:
        return scores
    windows = (signals, [ranges[i] for i in kept], [correlations[i] for i in kept])

    @cache
    def gram_matrix(reference):
        rows = signals.reference_rows(reference)
        return GramMatrix(of_filters.delayed[rows, rows])

    @cache
    def filters(estimate, reference=None):
        rows, columns = signals.reference_rows(reference), signals.estimate_rows(estimate)
        return gram_matrix(reference).filters(of_filters.delayed[rows, columns])

    for p, (estimate, reference) in enumerate(pairs):
        power = powers[kept, signals.estimate_rows(estimate)].sum(axis=1)
        if power.any():
            found = filters(estimate, reference), filters(estimate)
            ratios = _ratios(windows, estimate, reference, *found, variant.images)
            scores[:, p, kept] = [_decibels(*ratio, power) for ratio in ratios]
    return scores


def _ratios(windows, estimate, reference, own, every, images):
    """Return (numerator, denominator) of every score: energies, each (n_windows,).

    `own` are the filters from the reference to the estimate, `every` those from all references.
    """
    signals = windows[0]
    own_rows, all_rows = signals.reference_rows(reference), signals.reference_rows()

    def energy(rows, filters, weight=0):
        combination = Combination(weight, signals.estimate_rows(estimate), rows, filters)
        return energies(combination, *windows)

    others = every.copy()
    others[own_rows] -= own
    target = energy(own_rows, own)
    last = [
        (target, energy(all_rows, others)),
        (energy(all_rows, every), energy(all_rows, -every, 1)),
    ]
    if not images:
        return [(target, energy(own_rows, -own, 1)), *last]
    identity = np.zeros_like(own)  # leaves every channel of the reference as it is
    identity[..., 0] = np.eye(signals.n_channels)
    truth = energy(own_rows, identity)
    return [
        (truth, energy(own_rows, -identity, 1)),
        (truth, energy(own_rows, own - identity)),
        *last,
    ]


def _decibels(numerator, denominator, power):
    """Return ratios of energies in dB, NaN where the energy of the estimate, `power`, is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        numerator, denominator = (
            np.where(energy > NOTHING * power, energy, 0) / power
            for energy in (numerator, denominator)
        )
        return 10 * np.log10(numerator / denominator)
