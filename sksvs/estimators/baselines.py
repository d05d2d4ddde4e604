"""Bound the scores of separators: the mixture itself below, ideal masks above."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from sksvs.audio.centred import Centred
from sksvs.callback_support import as_one_task
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.masks import RatioMask, ideal_binary_mask
from sksvs.stft.spectrogram import Spectrogram, Target
from sksvs.stft.tracks import check_sources
from sksvs.typing import Truth


class _Baseline(BaseMaskSeparator):
    _masks_sum_to_one = False  # not those of the mixture, nor of an oracle with another exponent
    # What scikit-learn's metadata routing passes on where it is enabled.
    __metadata_request__fit = {"groups": True, "validation_tracks": True}

    @as_one_task
    def fit(
        self,
        X: Sequence[Spectrogram],
        y: Truth | None = None,
        *,
        groups: Any = None,
        validation_tracks: Any = None,
    ) -> Self:
        """Store the number and the names of the sources and the STFT settings; nothing is trained.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
        groups, validation_tracks : ignored
            Taken so that a baseline can stand where a GRUMaskSeparator stands.

        Returns
        -------
        self
        """
        self._check_parameters()
        return super().fit(X, y)


class MixtureBaseline(_Baseline):
    """Estimate every source by the unprocessed mixture: the lower bound.

    NSDR subtracts its SDR. The estimates do not add up to the mixture.
    """

    _have_constant = slice(None)

    def _mask_blocks(self, spectrogram):
        for start, stop in spectrogram.block_ranges():
            masks = np.ones((self.n_sources_, spectrogram.n_freqs, stop - start), np.float32)
            yield spectrogram.read_block(start, stop), masks


class IdealMaskOracle(_Baseline):
    """Separate with ideal masks, made from the true sources: the upper bound of masks.

    ``score(X, y)`` makes the masks from its `y`, ``predict(X, sources=y)`` from its `sources`;
    ``predict(X)`` raises, since it has no sources.

    Parameters
    ----------
    mask : {"ratio", "binary"}, default="ratio"
        :func:`~sksvs.transforms.ideal_ratio_mask` or
        :func:`~sksvs.transforms.ideal_binary_mask`.
    p : float, default=1.0
        Exponent of the magnitudes in the ratio mask.
    v : float, default=1.0
        Exponent of the share in the ratio mask.
    """

    __metadata_request__predict = {"sources": True}

    def __init__(self, mask: str = "ratio", p: float = 1.0, v: float = 1.0):
        self.mask = mask
        self.p = p
        self.v = v

    def predict(
        self, X: Sequence[Spectrogram], *, sources: Truth | None = None
    ) -> list[np.ndarray]:
        """Separate every track with masks made from its true sources.

        Parameters
        ----------
        X : list of Spectrogram
        sources : list of array or Sources, each (n_sources, n_samples[, n_channels])
            In a pipeline, too: ``pipe.predict(X, sources=y)``.

        Returns
        -------
        list of array of float32, each (n_sources, n_samples) or (n_sources, n_samples, n_channels)

        Raises
        ------
        ValueError
            If the sources are missing or do not fit the mixtures.
        """
        if sources is None:
            return super().predict(X)  # which says what is missing
        spectrograms = self._check_predict(X)
        tracks = check_sources(sources, [x.waveform for x in spectrograms])
        return [self._separate(self._with_truth(*pair)) for pair in zip(spectrograms, tracks)]

    def _mask_rule(self):
        if self.mask == "ratio":
            return RatioMask(self.p, self.v)
        return ideal_binary_mask

    def _with_truth(self, spectrogram, sources):
        """Return the spectrogram with the true sources as its target."""
        views = [Spectrogram(Centred(s.to_mono()), spectrogram.params) for s in sources]
        return replace(spectrogram, target=Target(tuple(views), self._mask_rule()))

    def _estimate(self, spectrogram, sources):
        return super()._estimate(self._with_truth(spectrogram, sources), sources)

    def _mask_blocks(self, spectrogram):
        if spectrogram.target is None:
            raise ValueError(
                "IdealMaskOracle makes masks from the true sources and cannot predict without "
                "them. Use predict(X, sources=y) or score(X, y), or fit a "
                "GRUMaskSeparator."
            )
        for frames in spectrogram.block_ranges():
            yield spectrogram.read_block(*frames), spectrogram.target.masks(*frames)
