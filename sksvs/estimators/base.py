"""Check tracks, apply masks and score: the base of all separators."""

from abc import ABCMeta, abstractmethod
from contextlib import ExitStack, closing

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksvs.audio.centred import Centred, difference_from_sum
from sksvs.documentation import DocumentationLink
from sksvs.metrics import score_tracks
from sksvs.metrics.scores import check_weights
from sksvs.parameters import check_parameters
from sksvs.prediction.channels import channels_of, favour_centre
from sksvs.prediction.shared_blocks import masks_in_blocks
from sksvs.prediction.synthesis import MaskedSynthesis
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import (
    check_sources,
    check_spectrograms,
    warn_of_assumed_rate,
    warn_of_cancelled,
    warn_of_difference,
)
from sksvs.system.threads import prefetch, single_threaded_blas


class BaseMaskSeparator(DocumentationLink, BaseEstimator, metaclass=ABCMeta):
    """Base of separators that multiply the mixture's spectrogram by one mask a source.

    This class checks tracks, applies masks and scores. A subclass implements `fit`, which sets
    `n_sources_`, `source_names_` and `stft_params_`, and yields masks in `_mask_blocks`. Masks
    apply to the mixture without its constant (DC), which goes to the last source. Where the
    channels of a track cancel each other in the downmix, every channel is separated as a track of
    its own.

    `sksvs.save` stores the fitted scalars that `_fitted_scalars` names, as the table of parameters
    has them, and the fitted arrays of `_fitted_shapes`.
    """

    side_weight = 0.0  # a parameter of separators with a network
    _masks_sum_to_one = True
    _have_constant = slice(-1, None)  # the sources that the constant goes to
    _fitted_scalars: tuple[str, ...] = ("n_sources_", "source_names_", "stft_params_")

    @abstractmethod
    def fit(self, X, y=None):
        """Fit on the tracks and their sources, and set the attributes named above."""

    @abstractmethod
    def _mask_blocks(self, spectrogram):
        """Yield ``(block, masks)`` from the first frame on; masks: (n_sources, n_freqs, n).

        The spectrogram is that of a `Centred` waveform.
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

    def predict(self, X):
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

    def iter_predict(self, X):
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

    def iter_blocks(self, X):
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

    def predict_mask(self, X):
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

    def score(self, X, y, sample_weight=None):
        """Return the mean SDR of the voice in dB, as a float that also has `.sdr .sir .sar`.

        Computed on the downmix by BSS Eval version 3, source 0, without permutation, mean over
        tracks, with one track in memory at a time. :func:`~sksvs.metrics.score_tracks` says how
        undefined scores are treated.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The true sources.
        sample_weight : sequence of float of length n_tracks, optional
            Weights of the tracks in the mean.

        Returns
        -------
        SeparationScore
        """
        spectrograms = self._check_predict(X)
        sources = check_sources(y, [x.waveform for x in spectrograms])
        if sample_weight is not None:
            check_weights(sample_weight, len(spectrograms))  # before the first track is separated
        if len(sources[0]) != self.n_sources_:
            raise ValueError(
                f"y[0] has {len(sources[0])} sources, but {type(self).__name__} was fitted with "
                f"{self.n_sources_}."
            )
        tracks = (self._judge(x, track) for x, track in zip(spectrograms, sources))
        return score_tracks(tracks, sample_weight=sample_weight)

    def _judge(self, spectrogram, sources):
        """Return the name of a track, and the downmixes of its sources and estimates."""
        references = np.stack([source.to_mono()[:] for source in sources])
        mixture = spectrogram.to_mono().waveform[:]
        warn_of_difference(spectrogram.name, difference_from_sum(mixture, references))
        return spectrogram.name, references, self._estimate(spectrogram, sources)

    def _estimate(self, spectrogram, sources):
        """Return the downmix of the estimates; only an oracle uses the sources."""
        if spectrogram.waveform.cancels:
            estimates = self._separate(spectrogram)
            return estimates if spectrogram.ndim == 2 else estimates.mean(axis=-1)
        if self.side_weight > 0 and spectrogram.ndim == 3:
            return self._separate(spectrogram).mean(axis=-1)
        return self._separate(spectrogram.to_mono())  # the same, as one mask serves all channels

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

    def _separate(self, spectrogram):
        return self._join(spectrogram, self._separate_blocks(spectrogram))

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

    def _join(self, spectrogram, blocks):
        estimates = np.empty((self.n_sources_, *spectrogram.waveform.shape), np.float32)
        by_time = estimates.swapaxes(1, -1)  # channel by channel, which are long runs in memory
        start = 0
        for block in blocks:
            stop = start + block.shape[1]
            by_time[..., start:stop] = block.swapaxes(1, -1)
            start = stop
        return estimates

    def _check_predict(self, X):
        check_is_fitted(self, "n_sources_")
        spectrograms = check_spectrograms(X, self)
        for x in spectrograms:
            difference = x.params.differs_from(self.stft_params_)
            if difference:
                raise ValueError(
                    f"{x.name} was analysed with {difference} as in fit. A separator works with "
                    f"the STFT settings that it was fitted with.{self._rate_remedy(x)}"
                )
        unknown = [x.waveform for x in spectrograms if x.params.sample_rate is None]
        warn_of_assumed_rate(unknown, self.stft_params_.sample_rate)
        return [Spectrogram(Centred(x.waveform), x.params) for x in spectrograms]

    def _rate_remedy(self, spectrogram):
        """Return the remedy for a song of another sample rate; "" where the rate is right."""
        rate, fitted = spectrogram.params.sample_rate, self.stft_params_.sample_rate
        if rate == fitted or rate is None:
            return ""
        if fitted is None:
            return (
                " The sample rate of the songs in fit is not known. Fit with "
                "STFTTransformer(sample_rate=...) to separate songs of any."
            )
        return (
            f" STFTTransformer(sample_rate={fitted}) takes songs of any sample rate, in a fitted "
            "pipeline too (set_params); sksvs.audio.resample changes the rate of a song."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags
