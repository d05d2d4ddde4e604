"""Replace every waveform by its downmix, the mean of its channels."""

from typing import Self

import numpy as np

from sksvs.audio.centred import Centred
from sksvs.audio.waveform import Waveform, to_mono
from sksvs.callback_support import as_one_task
from sksvs.stft.tracks import check_mixtures, warn_of_cancelled
from sksvs.transforms.stateless import StatelessTransformer
from sksvs.typing import Mixtures, Truth


class MonoDownmix(StatelessTransformer):
    """Average the channels of every track.

    Arrays become arrays; lazy waveforms become lazy views that read nothing until they are
    sliced. Mono tracks pass unchanged. The transformer is stateless. The steps that follow average
    the sources in the same way, so `y` may keep its channels.

    Examples
    --------
    >>> import numpy as np
    >>> MonoDownmix().fit_transform([np.array([[0.5, 0.25], [0.0, 0.5]])])
    [array([0.375, 0.25 ])]
    """

    @as_one_task
    def fit(self, X: Mixtures, y: Truth | None = None) -> Self:
        """Check the tracks; nothing is fitted.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)
        y : ignored

        Returns
        -------
        self
        """
        check_mixtures(X)
        return self

    def transform(self, X: Mixtures) -> list[np.ndarray | Waveform]:
        """Return the downmix of every track.

        Parameters
        ----------
        X : list of array or Waveform, each (n_samples,) or (n_samples, n_channels)

        Returns
        -------
        list of array or Waveform, each (n_samples,)

        Warns
        -----
        UserWarning
            If the channels of an array cancel each other, naming it. (Those of a lazy waveform
            are checked when it is separated.)

        Raises
        ------
        ValueError, TypeError
            If a track has a wrong rank or dtype or is empty.
        """
        mixtures = check_mixtures(X)
        return [self._mean(*pair) for pair in zip(X, mixtures)]

    def _mean(self, x, mixture):
        if not isinstance(x, np.ndarray):
            return mixture.to_mono()
        if x.ndim == 2 and Centred(mixture).cancels:
            warn_of_cancelled(mixture.name, 1)
        return to_mono(x)
