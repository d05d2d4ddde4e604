"""Choose the ideal ratio mask that a loss on masks compares with."""

from collections.abc import Sequence
from dataclasses import replace

from sksvs.callback_support import as_one_task
from sksvs.masks import RatioMask
from sksvs.stft import Spectrogram
from sksvs.stft.tracks import check_sources, check_spectrograms
from sksvs.transforms.stateless import StatelessTransformer
from sksvs.typing import Truth


class IRMTarget(StatelessTransformer):
    """Choose the exponents of the ideal ratio mask that a loss on masks compares with.

    ``M_j = (|S_j|^p / Σ_k |S_k|^p)^v``, see :func:`~sksvs.transforms.ideal_ratio_mask`.

    ``fit_transform(X, y)`` attaches the rule of the mask to every spectrogram, ``transform(X)``
    attaches nothing. A Pipeline calls the first in `fit` and the second in `predict` and `score`,
    and passes the sources to the separator as `y`. The transformer is stateless.

    Without this step, a loss on masks compares with the mask of p = v = 1. Losses on magnitudes or
    spectra do not use the exponents: a separator warns where they are not 1.

    Parameters
    ----------
    p : float, default=1.0
        Exponent of the magnitudes: 1 for a ratio of magnitudes, 2 for one of powers. The code of
        the course report has 0.7.
    v : float, default=1.0
        Exponent of the ratio. The masks sum to one only where it is 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sksvs.transforms import STFTTransformer
    >>> X = STFTTransformer(n_fft=256, hop_length=128).fit_transform([np.ones(2000)])
    >>> IRMTarget(p=2.0).fit_transform(X)[0].mask_rule
    RatioMask(p=2.0, v=1.0)
    """

    def __init__(self, p: float = 1.0, v: float = 1.0):
        self.p = p
        self.v = v

    @as_one_task
    def fit_transform(self, X: Sequence[Spectrogram], y: Truth | None = None) -> list[Spectrogram]:
        """Check the tracks; return the spectrograms with the rule of their masks as `mask_rule`.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels]), optional
            Checked if given.

        Returns
        -------
        list of Spectrogram

        Raises
        ------
        ValueError, TypeError
            If `y` does not match `X`, or an exponent is not positive.
        """
        self._check_parameters()
        spectrograms = check_spectrograms(X, self)
        if y is not None:
            check_sources(y, [x.waveform for x in spectrograms])
        rule = RatioMask(float(self.p), float(self.v))
        return [replace(x, mask_rule=rule) for x in spectrograms]

    def transform(self, X: Sequence[Spectrogram]) -> list[Spectrogram]:
        """Return the spectrograms without a mask rule, which `predict` does not need.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of Spectrogram
        """
        return [replace(x, mask_rule=None) for x in check_spectrograms(X, self)]
