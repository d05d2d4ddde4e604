"""BSS Eval: SDR, ISR, SIR and SAR of estimated sources, versions 2, 3 and 4."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sksvs.metrics.bss_eval.comparison import check_signals, compare, measure_track
from sksvs.metrics.bss_eval.decomposition import Variant


class SourceScores(NamedTuple):
    """BSS Eval scores of sources in dB, one for every reference.

    Attributes
    ----------
    sdr, sir, sar : array of float64, shape (n_sources,) or (n_sources, n_windows)
        Source to distortion, to interference and to artifacts ratio.
    permutation : array of int, of the same shape
        Which estimate was compared with each reference.
    """

    sdr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray
    permutation: np.ndarray


class ImageScores(NamedTuple):
    """BSS Eval scores of source images in dB, one for every reference.

    Attributes
    ----------
    sdr, isr, sir, sar : array of float64, shape (n_sources,) or (n_sources, n_windows)
        Source to distortion, image to spatial distortion, source to interference and to artifacts
        ratio.
    permutation : array of int, of the same shape
        Which estimate was compared with each reference.
    """

    sdr: np.ndarray
    isr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray
    permutation: np.ndarray


def bss_eval_sources(
    references: npt.ArrayLike,
    estimates: npt.ArrayLike,
    window: int | None = None,
    hop: int | None = None,
    *,
    filter_length: int = 512,
    permutation: bool = False,
    backend: str = "sksvs",
) -> SourceScores:
    """Return SDR, SIR and SAR of mono sources, by BSS Eval version 3 (or 2).

    The target is the reference after the best filter of `filter_length` taps, so filtering the
    voice is not a distortion. In :func:`bss_eval_images` it is.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples)
        The true sources.
    estimates : array of float, shape (n_sources, n_samples)
    window, hop : int, optional
        In samples: scores of windows of `window` samples, `hop` apart (`window` by default), each
        with filters of its own. Samples after the last full window are left out; with fewer than
        two windows, or no `window`, the whole signals are scored.
    filter_length : int, default=512
        Taps of the distortion filters. 512 is version 3 (12 ms at 44.1 kHz); 1 allows only a
        gain, which is version 2.
    permutation : bool, default=False
        Whether to order the estimates so that the mean SIR is largest, in each window on its own.
    backend : {"sksvs", "mir_eval"}, default="sksvs"
        "mir_eval" is slow and what most papers have used; it needs mir_eval below 0.9 and has 512
        taps.

    Returns
    -------
    SourceScores
        In dB. A perfect estimate has an SDR of inf, a single source an SIR of inf. Undefined
        scores are NaN: all scores of a window with a silent reference, those of an estimate in
        windows where it is silent, and those of an estimate with NaN or inf in all windows.
        (`mir_eval` and `museval` give NaN to all sources of a window if any estimate is silent.)

    Raises
    ------
    ValueError
        If the shapes differ or are not those above, a reference holds NaN or inf, or a parameter
        is out of range.
    ImportError
        If the backend is mir_eval, and it is not installed or too new.

    References
    ----------
    E. Vincent, R. Gribonval and C. Févotte, "Performance measurement in blind audio source
    separation", IEEE TASLP 14(4), 2006, sections III.B (filters) and IV (scores).

    Examples
    --------
    >>> sources = np.random.default_rng(0).normal(size=(2, 20000))
    >>> scores = bss_eval_sources(sources, sources + 0.1 * sources[::-1])
    >>> scores.sir.round()
    array([20., 20.])
    """
    references, estimates = check_signals(references, estimates, dimensions=(2,))
    variant = Variant(images=False, filter_length=filter_length)
    scores = compare(references, estimates, window, hop, variant, permutation, backend)
    return SourceScores(*scores)


def bss_eval_images(
    references: npt.ArrayLike,
    estimates: npt.ArrayLike,
    window: int | None = None,
    hop: int | None = None,
    *,
    framewise_filters: bool = True,
    filter_length: int = 512,
    permutation: bool = False,
    backend: str = "sksvs",
) -> ImageScores:
    """Return SDR, ISR, SIR and SAR of source images, by BSS Eval version 3 or 4.

    The target is the reference itself, so filtering the voice is a distortion, which ISR measures.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        The true source images: the part of each source in every channel of the mixture.
    estimates : array of float, of the same shape
    window, hop : int, optional
        In samples: scores of windows of `window` samples, `hop` apart (`window` by default);
        without `window`, of the whole signals. Samples after the last full window are left out.
    framewise_filters : bool, default=True
        True: version 3, every window has filters of its own, and with fewer than two windows the
        whole signals are scored. False: version 4, the filters are those of the whole signals.
    filter_length : int, default=512
        Taps of the distortion filters.
    permutation : bool, default=False
        Whether to order the estimates so that the mean SIR is largest: in version 3 in each window
        on its own, in version 4 once for all windows.
    backend : {"sksvs", "mir_eval"}, default="sksvs"
        As for :func:`bss_eval_sources`; mir_eval has version 3.

    Returns
    -------
    ImageScores
        In dB; NaN where :func:`bss_eval_sources` has NaN.

    Raises
    ------
    ValueError, ImportError
        As for :func:`bss_eval_sources`.

    References
    ----------
    E. Vincent et al., "The signal separation evaluation campaign (2007-2010): achievements and
    remaining challenges", Signal Processing 92, 2012 (version 3). F.-R. Stöter, A. Liutkus and
    N. Ito, "The 2018 signal separation evaluation campaign", LVA/ICA 2018, section 3.1 (version 4).

    Examples
    --------
    One second at 8 kHz, in windows of half a second:

    >>> images = np.random.default_rng(0).normal(size=(2, 8000, 2))
    >>> bss_eval_images(images, 0.9 * images, 4000, framewise_filters=False).sdr
    array([[20., 20.],
           [20., 20.]])
    """
    references, estimates = check_signals(references, estimates, dimensions=(2, 3))
    variant = Variant(True, framewise_filters, filter_length)
    scores = compare(references, estimates, window, hop, variant, permutation, backend)
    return ImageScores(*scores)


def nsdr(
    references: npt.ArrayLike,
    estimates: npt.ArrayLike,
    mixture: npt.ArrayLike,
    *,
    filter_length: int = 512,
) -> np.ndarray:
    """Return the normalised SDR: the gain in SDR of each estimate over the mixture.

    ``NSDR = SDR(estimate) - SDR(mixture)``, both by :func:`bss_eval_sources`.

    Parameters
    ----------
    references : array of float, shape (n_sources, n_samples)
    estimates : array of float, shape (n_sources, n_samples)
    mixture : array of float, shape (n_samples,)
    filter_length : int, default=512
        Taps.

    Returns
    -------
    array of float64, shape (n_sources,)
        In dB; NaN where either SDR is.

    References
    ----------
    P.-S. Huang et al., "Singing-voice separation from monaural recordings using deep recurrent
    neural networks", ISMIR 2014, section 4.2.
    """
    references, estimates = check_signals(references, estimates, dimensions=(2,))
    mixture = np.asarray(mixture)
    if mixture.shape != references.shape[1:]:
        raise ValueError(
            f"mixture must have shape {references.shape[1:]}, as each reference; got "
            f"{mixture.shape}."
        )
    variant = Variant(images=False, filter_length=filter_length)
    ranges = [(0, references.shape[1])]
    return measure_track(references, estimates, ranges, variant, mixture)["nsdr"][:, 0]
