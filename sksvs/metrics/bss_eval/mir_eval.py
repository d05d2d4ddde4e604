"""Compute BSS Eval version 3 by mir_eval: slow, and what most papers have used."""

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
        If the variant is not one of mir_eval's.
    """
    if not variant.framewise_filters or variant.filter_length != 512:
        raise ValueError(f"mir_eval has BSS Eval version 3 with 512 taps; got {variant}.")
    if not (find_spec("mir_eval") and find_spec("mir_eval.separation")):
        raise ImportError(
            "backend='mir_eval' needs mir_eval.separation, which mir_eval has up to version 0.8: "
            "pip install 'mir_eval<0.9'."
        )
    from mir_eval import separation  # deprecated; only this backend needs it

    compute = separation.bss_eval_images if variant.images else separation.bss_eval_sources
    scores = np.full((len(variant.metrics), len(pairs), len(ranges)), np.nan)
    for window, (start, stop) in enumerate(ranges):
        samples = signals.read(start, stop).reshape(-1, signals.n_channels, stop - start)
        samples = samples.swapaxes(1, 2) if variant.images else samples[:, 0]
        references, estimates = np.split(samples, [signals.n_references])
        for p, (estimate, reference) in enumerate(pairs):
            compared = references.copy()  # other estimates do not change the scores of this one
            compared[reference] = estimates[estimate]
            scores[:, p, window] = _score(compute, references, compared, reference)
    return scores


def _score(compute, references, estimates, index):
    """Return the scores of one source; NaN if it, or a reference, is silent or mir_eval fails."""
    with warnings.catch_warnings():
        # mir_eval 0.8 announces that 0.9 drops the module, and divides by zero for a perfect
        # estimate.
        warnings.simplefilter("ignore")
        try:
            *scores, _ = compute(references, estimates, compute_permutation=False)
        except (ValueError, np.linalg.LinAlgError, AttributeError):
            # A signal is silent, or the Gram matrix is singular. (mir_eval then looks for the
            # error in np.linalg.linalg, which NumPy 2 no longer has.)
            return np.nan
    return [score[index] for score in scores]
