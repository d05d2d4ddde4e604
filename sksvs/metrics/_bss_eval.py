"""SDR, SIR and SAR of estimated sources, by BSS Eval version 3."""

import warnings
from typing import NamedTuple

import mir_eval
import numpy as np


class SourceScores(NamedTuple):
    """BSS Eval figures in dB, one for every source.

    Attributes
    ----------
    sdr, sir, sar : array of float64, shape (n_sources,)
        Source to distortion, to interference and to artifacts ratio.
    """

    sdr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray


def bss_eval(references, estimates):
    """Return SDR, SIR and SAR of every source, by BSS Eval version 3.

    An estimate is split into what a 512-tap filter makes of its own reference (target), what
    512-tap filters make of all references (the rest of that is interference) and what remains
    (artifacts). Each estimate is compared with the reference of the same index: there is no
    search for a permutation. The arithmetic is `mir_eval.separation.bss_eval_sources`.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples)
        The true sources, mono.
    estimates : array of float, shape (n_sources, n_samples)

    Returns
    -------
    SourceScores
        In dB. NaN where a figure is undefined: for an estimate that is silent or holds NaN or
        inf, and for all sources where any reference is silent or the references cannot be told
        apart (a track of one sample). A perfect estimate has +inf.

    Raises
    ------
    ValueError
        If the shapes differ or are not (n_sources, n_samples), or a reference holds NaN or inf.

    References
    ----------
    E. Vincent, R. Gribonval and C. Févotte, "Performance measurement in blind audio source
    separation", IEEE TASLP 14(4), 2006.

    Examples
    --------
    >>> sources = np.random.default_rng(0).normal(size=(2, 20000))
    >>> scores = bss_eval(sources, sources + 0.1 * sources[::-1])
    >>> scores.sir.round()
    array([20., 20.])
    """
    references = np.asarray(references, dtype=np.float64)
    estimates = np.asarray(estimates, dtype=np.float64)
    if references.ndim != 2 or references.shape != estimates.shape:
        raise ValueError(
            "references and estimates must have one shape (n_sources, n_samples); got "
            f"{references.shape} and {estimates.shape}. Average the channels of stereo sources."
        )
    if not np.isfinite(references).all():
        raise ValueError("references must be finite; got NaN or inf.")
    scores = np.full((3, len(references)), np.nan)
    usable = np.isfinite(estimates).all(axis=1) & estimates.any(axis=1)
    if references.any(axis=1).all() and usable.any():
        # Estimates do not influence one another's figures, so any signal can stand in for one
        # that has none.
        stand_in = np.where(usable[:, np.newaxis], estimates, references)
        with warnings.catch_warnings():
            # mir_eval 0.8 announces that 0.9 drops the module, and divides by zero where an
            # estimate is perfect.
            warnings.simplefilter("ignore")
            try:
                *figures, _ = mir_eval.separation.bss_eval_sources(
                    references, stand_in, compute_permutation=False
                )
            except (np.linalg.LinAlgError, AttributeError):
                # The references cannot be told apart, at this length. (mir_eval then looks for
                # the error in np.linalg.linalg, which NumPy 2 has no more.)
                figures = np.full((3, len(references)), np.nan)
        scores[:, usable] = np.array(figures)[:, usable]
    return SourceScores(*scores)


def nsdr(references, estimates, mixture):
    """Return the normalised SDR: by how much each estimate is better than the mixture itself.

    ``NSDR = SDR(estimate) - SDR(mixture)``.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples)
    estimates : array of float, shape (n_sources, n_samples)
    mixture : array of float, shape (n_samples,)

    Returns
    -------
    array of float64, shape (n_sources,)
        In dB; NaN where `bss_eval` says so.

    References
    ----------
    P.-S. Huang et al., "Singing-voice separation from monaural recordings using deep recurrent
    neural networks", ISMIR 2014, section 4.2.
    """
    mixtures = np.broadcast_to(np.asarray(mixture), np.shape(references))
    return bss_eval(references, estimates).sdr - bss_eval(references, mixtures).sdr
