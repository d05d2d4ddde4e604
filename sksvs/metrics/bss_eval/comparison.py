"""Compare every reference with its estimate: checks, windows, the order of the estimates."""

from numbers import Integral

import numpy as np
from scipy.optimize import linear_sum_assignment

from sksvs.metrics.bss_eval.decomposition import measure
from sksvs.metrics.bss_eval.mir_eval import measure_by_mir_eval
from sksvs.metrics.bss_eval.signals import Signals, as_sources, signal_energy
from sksvs.system.threads import single_threaded_blas

LARGEST_DB = 100.0


def check_signals(references, estimates, dimensions):
    """Return both as floating-point arrays of one shape; raise where they are not.

    Parameters
    ----------
    references, estimates : array
    dimensions : tuple of int
        How many axes they may have: 2 for mono, 3 with channels.
    """
    references = as_sources(references, "references", dimensions)
    estimates = as_sources(estimates, "estimates", dimensions)
    if references.shape != estimates.shape:
        raise ValueError(
            "references and estimates must have one shape (n_sources, n_samples[, n_channels]); "
            f"got {references.shape} and {estimates.shape}."
        )
    if references.size == 0:
        raise ValueError(f"references are empty: they have shape {references.shape}.")
    return references, estimates


def window_ranges(n_samples, window, hop, variant):
    """Return ``(start, stop)`` of every window, in samples.

    As in mir_eval where the windows have filters of their own: with fewer than two of them, the
    whole signals; as in museval where they do not: the only window then is the first.
    """
    if window is None:
        return [(0, n_samples)]
    hop = window if hop is None else hop
    for name, value in (("window", window), ("hop", hop)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(
                f"{name} must be a whole number of samples, at least 1; got {value!r}."
            )
    n_windows = (n_samples - window) // hop + 1
    if n_windows < (2 if variant.framewise_filters else 1):
        return [(0, n_samples)]
    return [(k * hop, k * hop + window) for k in range(n_windows)]


def compare(references, estimates, window, hop, variant, permutation, backend):
    """Return the figures of every source, and which estimate was compared with it.

    Parameters
    ----------
    references, estimates : array of float, shape (n_sources, n_samples[, n_channels])
    window, hop : int or None
    variant : Variant
    permutation : bool
    backend : str

    Returns
    -------
    list of array, each (n_sources,) or (n_sources, n_windows)
        The metrics of the variant, then the permutation.
    """
    if not isinstance(variant.filter_length, Integral) or variant.filter_length < 1:
        raise ValueError(
            f"filter_length must be a whole number of taps, at least 1; got "
            f"{variant.filter_length!r}."
        )
    if backend not in ("sksvs", "mir_eval"):
        raise ValueError(f"backend must be 'sksvs' or 'mir_eval'; got {backend!r}.")
    n_sources = len(references)
    ranges = window_ranges(references.shape[1], window, hop, variant)
    pairs = [(j, j) for j in range(n_sources)]
    if permutation:
        pairs = [(k, j) for k in range(n_sources) for j in range(n_sources)]
    figures = _measure_pairs(list(references), list(estimates), pairs, ranges, variant, backend)
    order = np.tile(np.arange(n_sources)[:, np.newaxis], (1, len(ranges)))
    if permutation:
        figures = figures.reshape(len(figures), n_sources, n_sources, -1)
        order = _best_order(figures[variant.metrics.index("sir")], variant.framewise_filters)
        chosen = (order, np.arange(n_sources)[:, np.newaxis], np.arange(len(ranges)))
        figures = figures[:, *chosen]
    return [f[:, 0] if window is None else f for f in (*figures, order)]


def measure_track(references, estimates, ranges, variant, mixture=None):
    """Return the figures of a track by name: each (n_sources, n_windows), in dB.

    Parameters
    ----------
    references, estimates : array of float, shape (n_sources, n_samples[, n_channels])
    ranges : list of (start, stop)
        The windows, in samples.
    variant : Variant
    mixture : array of float, shape (n_samples[, n_channels]), optional
        Where it is given, "nsdr" is among the figures.
    """
    n_sources = len(references)
    pairs = [(j, j) for j in range(n_sources)]
    compared = list(estimates)
    if mixture is not None:
        compared.append(mixture)
        pairs += [(n_sources, j) for j in range(n_sources)]
    measured = _measure_pairs(list(references), compared, pairs, ranges, variant)
    figures = dict(zip(variant.metrics, measured[:, :n_sources]))
    if mixture is not None:
        with np.errstate(invalid="ignore"):  # inf - inf: the mixture is the source
            figures["nsdr"] = measured[0, :n_sources] - measured[0, n_sources:]
    return figures


def _best_order(sir, framewise):
    """Return the estimate for every reference and window that makes the mean SIR largest.

    Parameters
    ----------
    sir : array, shape (n_estimates, n_references, n_windows)
    framewise : bool
        Whether every window has an order of its own.
    """
    sir = np.clip(np.nan_to_num(sir, nan=-LARGEST_DB), -LARGEST_DB, LARGEST_DB)
    if not framewise:
        sir = np.repeat(sir.mean(axis=-1, keepdims=True), sir.shape[-1], axis=-1)
    orders = [
        linear_sum_assignment(window.T, maximize=True)[1] for window in np.moveaxis(sir, -1, 0)
    ]
    return np.stack(orders, axis=-1)


def _measure_pairs(references, estimates, pairs, ranges, variant, backend="sksvs"):
    """Return (n_metrics, n_pairs, n_windows); estimates that are not finite have NaN."""
    for j, reference in enumerate(references):
        if not np.isfinite(signal_energy(reference)):
            raise ValueError(
                f"references must be finite; reference {j} holds NaN, inf or values too large."
            )
    usable = [bool(np.isfinite(signal_energy(estimate))) for estimate in estimates]
    figures = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    kept = [p for p, (estimate, _) in enumerate(pairs) if usable[estimate]]
    if kept:
        # Any signal can stand in for one that has no figures.
        stand_ins = [e if ok else references[0] for e, ok in zip(estimates, usable)]
        compute = measure if backend == "sksvs" else measure_by_mir_eval
        signals = Signals(references, stand_ins)
        with single_threaded_blas():
            figures[:, kept] = compute(signals, [pairs[p] for p in kept], ranges, variant)
    return figures
