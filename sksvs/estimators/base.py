"""Check tracks and apply masks: the base of all separators."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksvs.audio.centred import Centred
from sksvs.callback_support import CallbackSupportMixin
from sksvs.documentation import DocumentationLink
from sksvs.estimators.scored import ScoredSeparator
from sksvs.parameters import check_parameters, check_range
from sksvs.prediction.channels import channels_of, favour_centre
from sksvs.prediction.shared_blocks import masks_in_blocks
from sksvs.prediction.synthesis import MaskedSynthesis
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    check_sources,
    check_spectrograms,
    common_params,
    common_source_names,
    default_source_names,
    rate_remedy,
    warn_of_assumed_rate,
    warn_of_cancelled,
)
from sksvs.system.threads import prefetch, single_threaded_blas
from sksvs.typing import Truth


class BaseMaskSeparator(
    ScoredSeparator, DocumentationLink, CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta
):
    """Base of separators that multiply the mixture's spectrogram by one mask a source.

    This class checks tracks, applies masks and scores. A subclass yields masks in `_mask_blocks`,
    and where it learns something overrides `fit`, which begins with ``super().fit(X, y)``. Masks
    apply to the mixture without its constant (DC), which goes to the last source. Where the
    channels of a track cancel each other in the downmix, every channel is separated as a track of
    its own. :func:`~sksvs.testing.check_separator` checks the result.

    `sksvs.save` stores separators of sksvs alone: the fitted scalars that `_fitted_scalars` names,
    as the table of parameters has them, and the fitted arrays of `_fitted_shapes`.

    Attributes
    ----------
    n_sources_ : int
        Sources of a track.
    source_names_ : tuple of str
        Their names: those of `y`, else "vocals" and "accompaniment" or "source_1", "source_2", …
    stft_params_ : STFTParams
        Analysis of the tracks of `fit`.
    """

    side_weight = 0.0  # a parameter of separators with a network
    _masks_sum_to_one = True
    _changeable: tuple[str, ...] = ()  # parameters that may be changed after the fit
    _have_constant = slice(-1, None)  # the sources that the constant goes to
    _fitted_scalars: tuple[str, ...] = ("n_sources_", "source_names_", "stft_params_")

    def fit(self, X: Sequence[Spectrogram], y: Truth | None = None) -> Self:
        """Store the number and the names of the sources and the STFT settings; nothing is trained.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If X holds anything but spectrograms of the same settings, or `y` is missing or does
            not match X.
        """
        spectrograms = check_spectrograms(X, self)
        self.n_sources_ = len(check_sources(y, [x.waveform for x in spectrograms])[0])
        self.source_names_ = common_source_names(y) or default_source_names(self.n_sources_)
        self.stft_params_ = common_params(spectrograms)
        return self

    @abstractmethod
    def _mask_blocks(self, spectrogram):
        """Yield ``(block, masks)`` from the first frame to the last.

        Parameters
        ----------
        spectrogram : Spectrogram
            Of a track without its constant: ``waveform.level`` is the RMS of its downmix, and
            ``to_mono()`` the spectrogram of that.

        Yields
        ------
        block : Block
            ``spectrogram.read_block(start, stop)``.
        masks : array of float32, shape (n_sources, n_freqs, stop - start)
            In [0, 1], with a sum of one over the sources.
        """

    def _masks_in_blocks(self, spectrogram, blocks, transpositions):
        """Yield ``(block, masks)`` for blocks of the spectrogram that others share.

        Only networks make use of `transpositions`, factors of all frequencies.
        """
        return masks_in_blocks(blocks, self._mask_blocks(spectrogram))

    def _check_parameters(self):
        """Raise a ValueError for a parameter that cannot be used."""
        check_parameters(self)

    def _fitted_shapes(self):
        """Return the shapes of the fitted arrays, from the parameters and fitted scalars alone.

        Returns
        -------
        dict of str to tuple of int
            By attribute, "input_mean_", or for a dict by attribute and key, "weights_/mask/bias".
        """
        return {}

    def _set_scalars(self, learnt):
        """Set all fitted attributes, by name, as read from a file."""
        for name, value in learnt.items():
            setattr(self, name, value)

    def predict(self, X: Sequence[Spectrogram]) -> list[np.ndarray]:
        """Separate every track.

        A constant (DC) does not count for the level of a track, and goes to the last source. The
        masks come from the downmix; where the channels of a track cancel each other in it, each
        channel is separated as a track of its own.

        The estimates of all tracks are in memory at once: fifty stereo songs take 8 GB.
        `iter_predict` yields one track at a time.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_sources, n_samples) or (n_sources, n_samples, n_channels)
            The voice first, as long as the mixture to the sample.

        Warns
        -----
        UserWarning
            If the channels of a track cancel each other in the downmix, naming it. If the sample
            rate of tracks is not known, but that of the separator's training data is.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X holds anything but spectrograms, or spectrograms of other settings than in `fit`.
        """
        return list(self.iter_predict(X))

    def iter_predict(self, X: Sequence[Spectrogram]) -> Iterator[np.ndarray]:
        """Separate track after track, with one of them in memory.

        In a pipeline: ``pipe[-1].iter_predict(pipe[:-1].transform(X))``.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        iterator of array of float32
            The items of `predict`, one at a time. X is checked at once, samples when read.
        """
        spectrograms = self._check_predict(X)
        return (self._separate(x) for x in spectrograms)

    def iter_blocks(self, X: Sequence[Spectrogram]) -> Iterator[np.ndarray]:
        """Separate one track a few seconds at a time, in constant memory.

        Parameters
        ----------
        X : list of one Spectrogram

        Returns
        -------
        iterator of array of float32
            Each (n_sources, n) or (n_sources, n, n_channels): the estimates of `predict`, cut in
            time. X is checked at once, samples when read. Reading, the network and the synthesis
            run at the same time where the process has more than one core.
        """
        spectrograms = self._check_predict(X)
        if len(spectrograms) != 1:
            raise ValueError(
                f"iter_blocks separates one track; got {len(spectrograms)}. Call it for each, or "
                "use iter_predict."
            )
        return self._separate_blocks(spectrograms[0])

    def predict_mask(self, X: Sequence[Spectrogram]) -> list[np.ndarray]:
        """Return the masks that `predict` applies: the analogue of `predict_proba`.

        They apply to the mixture without its constant (DC), which goes to the last source.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_sources, n_freqs, n_frames)
            In [0, 1]. One mask applies to all channels; where these cancel each other in the
            downmix, each has its own: (n_sources, n_channels, n_freqs, n_frames).
        """
        return [self._whole_masks(x) for x in self._check_predict(X)]

    def _whole_masks(self, spectrogram):
        waveform = spectrogram.waveform
        if waveform.cancels:
            warn_of_cancelled(spectrogram.name, waveform.n_channels)
            if waveform.ndim == 2:
                return np.stack([self._whole_masks(x) for x in channels_of(spectrogram)], axis=1)
        if self.side_weight == 0:
            spectrogram = spectrogram.to_mono()
        return np.concatenate([masks for _, masks in self._final_masks(spectrogram)], axis=-1)

    def _final_masks(self, spectrogram):
        """Yield the pairs of `_mask_blocks`, with what the channels tell."""
        for block, masks in self._mask_blocks(spectrogram):
            yield block, favour_centre(masks, block.frames, self.side_weight)

    def _separate_blocks(self, spectrogram):
        """Yield estimates block by block."""
        waveform = spectrogram.waveform
        if waveform.cancels:
            warn_of_cancelled(spectrogram.name, waveform.n_channels)
            if waveform.ndim == 2:
                yield from self._separate_channels(spectrogram)
                return
        for estimates in self._synthesise(spectrogram, self._final_masks(spectrogram)):
            estimates[self._have_constant] += waveform.constant
            yield estimates

    def _separate_channels(self, spectrogram):
        """Yield estimates block by block, every channel separated as a track of its own."""
        with ExitStack() as stack:
            channels = [self._separate_blocks(x) for x in channels_of(spectrogram)]
            for blocks in channels:
                stack.enter_context(closing(blocks))
            for blocks in zip(*channels):
                yield np.stack(blocks, axis=-1)

    def _synthesise(self, spectrogram, mask_blocks):
        """Yield estimates block by block from the pairs of `_mask_blocks`."""
        synthesis = MaskedSynthesis(spectrogram.params, self.n_sources_, self._masks_sum_to_one)
        for block, masks in prefetch(mask_blocks):
            with single_threaded_blas():
                estimates = synthesis.push(block, masks)
            yield estimates

    def _separate(self, spectrogram):
        estimates = np.empty((self.n_sources_, *spectrogram.waveform.shape), np.float32)
        by_time = estimates.swapaxes(1, -1)  # channel by channel, which are long runs in memory
        start = 0
        for block in self._separate_blocks(spectrogram):
            stop = start + block.shape[1]
            by_time[..., start:stop] = block.swapaxes(1, -1)
            start = stop
        return estimates

    def _check_predict(self, X):
        check_range(self, *self._changeable)
        check_is_fitted(self, "n_sources_")
        spectrograms = check_spectrograms(X, self)
        for x in spectrograms:
            difference = x.params.differs_from(self.stft_params_)
            if difference:
                remedy = rate_remedy(x.params.sample_rate, self.stft_params_.sample_rate)
                raise ValueError(
                    f"{x.name} was analysed with {difference} as in fit. A separator works with "
                    f"the STFT settings that it was fitted with.{remedy}"
                )
        unknown = [x.waveform for x in spectrograms if x.params.sample_rate is None]
        warn_of_assumed_rate(unknown, self.stft_params_.sample_rate)
        return [Spectrogram(Centred(x.waveform), x.params) for x in spectrograms]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags
