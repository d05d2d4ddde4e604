"""Attach the ideal ratio mask of the sources to the spectrograms of the mixtures."""

from functools import partial

from sklearn.base import BaseEstimator, TransformerMixin

from sksvs._parameters import check_parameters
from sksvs._tracks import check_sources, check_spectrograms
from sksvs.masks import ideal_ratio_mask
from sksvs.spectrogram import Spectrogram, Target


class IRMTarget(TransformerMixin, BaseEstimator):
    """Give every spectrogram the ideal ratio mask of its sources as a target to learn.

    ``M_j = (|S_j|^p / Σ_k |S_k|^p)^v``, see :func:`~sksvs.transforms.ideal_ratio_mask`.

    ``fit_transform(X, y)`` attaches targets, ``transform(X)`` attaches nothing, so truth never
    reaches prediction: as in `sklearn.preprocessing.TargetEncoder`, ``fit_transform(X, y)``
    differs from ``fit(X, y).transform(X)``. A stock Pipeline calls the first in `fit` and the
    second in `predict` and `score`. The transformer is stateless.

    The target gives source magnitudes as well as masks. The exponents shape the masks alone, so
    they matter to a separator whose loss compares masks, as the report's does.

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
    >>> sources = np.random.default_rng(0).normal(size=(2, 2000))
    >>> X = STFTTransformer(n_fft=256, hop_length=128).fit_transform([sources.sum(axis=0)])
    >>> with_target = IRMTarget(p=2.0).fit_transform(X, [sources])[0]
    >>> with_target.target.masks(0, 5).shape
    (2, 129, 5)
    """

    def __init__(self, p=1.0, v=1.0):
        self.p = p
        self.v = v

    def fit(self, X, y):
        """Check the tracks and their sources; there is nothing to learn.

        Unlike `fit_transform` it attaches no target anywhere.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])

        Returns
        -------
        self
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y):
        """Return the spectrograms with their targets attached.

        Unlike `transform` it uses `y`. The sources are analysed with the mixture's own settings,
        and averaged over their channels as the network's input is.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The voice first, two sources or more, on the time grid of X.

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
        sources = check_sources(y, [x.waveform for x in spectrograms])
        rule = partial(ideal_ratio_mask, p=self.p, v=self.v)
        return [
            x.with_target(Target(tuple(Spectrogram(s.to_mono(), x.params) for s in track), rule))
            for x, track in zip(spectrograms, sources)
        ]

    def transform(self, X):
        """Return the spectrograms without any target.

        Unlike `fit_transform` it knows no sources: what is attached is taken off.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of Spectrogram
        """
        return [x.with_target(None) for x in check_spectrograms(X, self)]

    def _check_parameters(self):
        check_parameters(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.target_tags.required = True
        tags.input_tags.two_d_array = False
        return tags
