"""Score estimates against references: checks, windows, the order of the estimates."""

from numbers import Integral

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from sksvs.metrics.bss_eval.decomposition import measure
from sksvs.metrics.bss_eval.mir_eval import measure_by_mir_eval
from sksvs.metrics.bss_eval.signals import Signals, as_sources, signal_energy
from sksvs.system.threads import single_threaded_blas

MAX_DB = 100.0
BACKENDS = {"sksvs": measure, "mir_eval": measure_by_mir_eval}


def check_signals(
    references: npt.ArrayLike, estimates: npt.ArrayLike, dimensions: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return references and estimates as floating-point arrays; raise if their shapes differ.

    Parameters
    ----------
    references, estimates : array
    dimensions : tuple of int
        The accepted numbers of axes: 2 for mono, 3 with channels.
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

    Framewise filters follow mir_eval: with fewer than two windows, the whole signals are the
    window. Other filters follow museval: a single window is the first of the signals.
    """
    if window is None:
        return [(0, n_samples)]
    hop = window if hop is None else hop
    _check_count("window", window, "samples")
    _check_count("hop", hop, "samples")
    n_windows = (n_samples - window) // hop + 1
    if n_windows < (2 if variant.framewise_filters else 1):
        return [(0, n_samples)]
    return [(k * hop, k * hop + window) for k in range(n_windows)]


def compare(references, estimates, window, hop, variant, permutation, backend):
    """Return the scores of every source, and which estimate was compared with it.

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
    _check_count("filter_length", variant.filter_length, "taps")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be 'sksvs' or 'mir_eval'; got {backend!r}.")
    ranges = window_ranges(references.shape[1], window, hop, variant)
    pairs = _pairs(len(references), permutation)
    scores = _score_pairs(references, estimates, pairs, ranges, variant, backend)
    if permutation:
        scores, order = _in_best_order(scores, len(references), variant)
    else:
        order = np.repeat(np.arange(len(references))[:, np.newaxis], len(ranges), axis=1)
    return [x[:, 0] if window is None else x for x in (*scores, order)]


def _check_count(name, value, unit):
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number of {unit}, at least 1; got {value!r}.")


def measure_track(references, estimates, ranges, variant, mixture=None, permutation=False):
    """Return the scores of a track by metric: each (n_sources, n_windows), in dB.

    Parameters
    ----------
    references, estimates : array of float, shape (n_sources, n_samples[, n_channels])
    ranges : list of (start, stop)
        The windows, in samples.
    variant : Variant
    mixture : array of float, shape (n_samples[, n_channels]), optional
        If given, "nsdr" is one of the metrics.
    permutation : bool, default=False
        Whether to order the estimates so that the mean SIR is largest, as :func:`compare` does. A
        window in which an estimate has no SIR has no order, and NaN for all sources.
    """
    n_sources, pairs = len(references), _pairs(len(references), permutation)
    of_mixture = [] if mixture is None else [(n_sources, j) for j in range(n_sources)]
    compared = estimates if mixture is None else [*estimates, mixture]
    scores = _score_pairs(references, compared, [*pairs, *of_mixture], ranges, variant)
    scores, unprocessed = scores[:, : len(pairs)], scores[0, len(pairs) :]
    if permutation:
        without_order = np.isnan(scores[variant.metrics.index("sir")]).any(axis=0)
        scores, _ = _in_best_order(scores, n_sources, variant)
        scores[..., without_order] = np.nan
    found = dict(zip(variant.metrics, scores))
    if mixture is not None:
        with np.errstate(invalid="ignore"):  # inf - inf: the mixture is the source
            found["nsdr"] = scores[0] - unprocessed
    return found


def _pairs(n_sources, permutation):
    """Return which estimate to compare with which reference: all with all to find their order."""
    if permutation:
        return list(np.ndindex(n_sources, n_sources))
    return [(j, j) for j in range(n_sources)]


def _in_best_order(scores, n_sources, variant):
    """Return scores (n_metrics, n_sources, n_windows) of all pairs' scores, and the order."""
    scores = scores.reshape(len(scores), n_sources, n_sources, -1)
    order = _best_order(scores[variant.metrics.index("sir")], variant.framewise_filters)
    sources, windows = np.arange(n_sources)[:, np.newaxis], np.arange(scores.shape[-1])
    return scores[:, order, sources, windows], order


def _best_order(sir, framewise):
    """Return the estimate for every reference and window that maximises the mean SIR.

    Parameters
    ----------
    sir : array, shape (n_estimates, n_references, n_windows)
    framewise : bool
        Whether every window has an order of its own.
    """
    sir = np.clip(np.nan_to_num(sir, nan=-MAX_DB), -MAX_DB, MAX_DB)
    if not framewise:
        sir = np.repeat(sir.mean(axis=-1, keepdims=True), sir.shape[-1], axis=-1)
    orders = [linear_sum_assignment(window, maximize=True)[1] for window in sir.T]
    return np.stack(orders, axis=-1)


def _score_pairs(references, estimates, pairs, ranges, variant, backend="sksvs"):
    """Return (n_metrics, n_pairs, n_windows); estimates that are not finite have NaN."""
    for j, reference in enumerate(references):
        if not np.isfinite(signal_energy(reference)):
            raise ValueError(
                f"references must be finite; reference {j} holds NaN, inf or values too large."
            )
    usable = [bool(np.isfinite(signal_energy(estimate))) for estimate in estimates]
    scores = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    kept = [p for p, (estimate, _) in enumerate(pairs) if usable[estimate]]
    if kept:
        # Any signal may stand in for an estimate that is not scored.
        stand_ins = [e if ok else references[0] for e, ok in zip(estimates, usable)]
        signals = Signals(references, stand_ins)
        with single_threaded_blas():
            scores[:, kept] = BACKENDS[backend](signals, [pairs[p] for p in kept], ranges, variant)
    return scores
