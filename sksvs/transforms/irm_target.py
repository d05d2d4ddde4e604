"""Choose the ideal ratio mask that a separator is to learn."""

from dataclasses import replace

from sklearn.base import BaseEstimator, TransformerMixin

from sksvs.masks import RatioMask
from sksvs.parameters import check_parameters
from sksvs.stft.tracks import check_sources, check_spectrograms


class IRMTarget(TransformerMixin, BaseEstimator):
    """Choose the exponents of the ideal ratio mask that a loss on masks compares with.

    ``M_j = (|S_j|^p / Σ_k |S_k|^p)^v``, see :func:`~sksvs.transforms.ideal_ratio_mask`.

    ``fit_transform(X, y)`` attaches the rule of the mask to every spectrogram, ``transform(X)``
    attaches nothing. A stock Pipeline calls the first in `fit` and the second in `predict` and
    `score`. The sources reach the separator as its own `y`. The transformer is stateless.

    Without this step, a loss on masks compares with the mask of p = v = 1. Losses on magnitudes or
    spectra have no use for the exponents: a separator warns where they are not 1.

    Parameters
    ----------
    p : float, default=1.0
        Exponent of the magnitudes: 1 shares magnitudes, 2 shares powers. The course report's
        code has 0.7.
    v : float, default=1.0
        Exponent of the share. The masks sum to one only where it is 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sksvs.transforms import STFTTransformer
    >>> X = STFTTransformer(n_fft=256, hop_length=128).fit_transform([np.ones(2000)])
    >>> IRMTarget(p=2.0).fit_transform(X)[0].mask_rule
    RatioMask(p=2.0, v=1.0)
    """

    def __init__(self, p=1.0, v=1.0):
        self.p = p
        self.v = v

    def fit(self, X, y=None):
        """Check the exponents and the tracks; there is nothing to learn.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels]), optional
            Checked if given.

        Returns
        -------
        self
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Return the spectrograms with the rule of their ideal masks as `mask_rule`.

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

    def transform(self, X):
        """Return the spectrograms without the rule of a mask, which `predict` does not need.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of Spectrogram
        """
        return [replace(x, mask_rule=None) for x in check_spectrograms(X, self)]

    def _check_parameters(self):
        check_parameters(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags
