"""BSS Eval version 3 as mir_eval computes it: slow, and the reference that people cite."""

import warnings
from importlib.util import find_spec

import numpy as np


def measure_by_mir_eval(signals, pairs, ranges, variant):
    """Return what `sksvs.metrics.bss_eval.decomposition.measure` returns, computed by mir_eval.

    Parameters
    ----------
    signals : Signals
    pairs : list of (estimate, reference)
    ranges : list of (start, stop)
    variant : Variant

    Raises
    ------
    ImportError
        If mir_eval is not installed, or too new to have BSS Eval.
    ValueError
        If mir_eval does not have the variant.
    """
    if not variant.framewise_filters or variant.filter_length != 512:
        raise ValueError(f"mir_eval has BSS Eval version 3 with 512 taps; got {variant}.")
    if not (find_spec("mir_eval") and find_spec("mir_eval.separation")):
        raise ImportError(
            "backend='mir_eval' needs mir_eval.separation, which mir_eval has up to version 0.8: "
            "pip install 'mir_eval<0.9'."
        )
    from mir_eval import separation  # deprecated, and not needed otherwise

    compute = separation.bss_eval_images if variant.images else separation.bss_eval_sources
    figures = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    for window, (start, stop) in enumerate(ranges):
        samples = signals.read(start, stop).reshape(-1, signals.n_channels, stop - start)
        samples = samples.swapaxes(1, 2) if variant.images else samples[:, 0]
        references, estimates = samples[: signals.n_references], samples[signals.n_references :]
        if not _audible(references).all():
            continue
        usable = _audible(estimates)
        for p, (estimate, reference) in enumerate(pairs):
            if usable[estimate]:
                # Estimates do not influence one another's figures, and only this one is wanted.
                figures[:, p, window] = _compare(
                    compute, references, estimates[estimate], reference
                )
    return figures


def _audible(signals):
    """Tell which signals mir_eval accepts: those whose channels do not add up to silence."""
    return signals.reshape(*signals.shape[:2], -1).sum(axis=-1).any(axis=-1)


def _compare(compute, references, estimate, index):
    """Return the figures of one estimate against one reference, NaN where mir_eval fails."""
    estimates = references.copy()
    estimates[index] = estimate
    with warnings.catch_warnings():
        # mir_eval 0.8 announces that 0.9 drops the module, and divides by zero where an estimate
        # is perfect.
        warnings.simplefilter("ignore")
        try:
            *figures, _ = compute(references, estimates, compute_permutation=False)
        except (np.linalg.LinAlgError, AttributeError):
            # The Gram matrix is singular. (mir_eval then looks for the error in
            # np.linalg.linalg, which NumPy 2 has no more.)
            return np.nan
    return [figure[index] for figure in figures]
