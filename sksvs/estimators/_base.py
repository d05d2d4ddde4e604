"""What every separator shares: checks, masks applied to mixtures, the score."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksvs._background import prefetch, single_threaded_blas
from sksvs._stft import Synthesis
from sksvs._tracks import check_sources, check_spectrograms
from sksvs.metrics import score_tracks
from sksvs.spectrogram import STFTParams


class MaskedSynthesis:
    """Mask the complex spectrogram of a mixture and invert it, a block of frames at a time.

    Parameters
    ----------
    params : STFTParams
    n_sources : int
    masks_sum_to_one : bool
        Whether the last estimate is what the others leave of the mixture: it is then not inverted
        but subtracted, so that the estimates add up to the mixture to the last bit or so.
    """

    def __init__(self, params, n_sources, masks_sum_to_one):
        self._n_sources = n_sources
        self._n_inverted = n_sources - 1 if masks_sum_to_one else n_sources
        self._synthesis = Synthesis(params)

    def push(self, block, masks):
        """Return the estimates of the samples that the block finishes.

        Parameters
        ----------
        block : Block
            The one that follows the last one.
        masks : array of float32, shape (n_sources, n_freqs, n)
            Each is applied to every channel.

        Returns
        -------
        array of float32, shape (n_sources, n_samples) or (n_sources, n_samples, n_channels)
        """
        samples, frames = block.samples, block.frames
        if frames.ndim == 3:
            masks = masks[:, np.newaxis]
        inverted = masks[: self._n_inverted].swapaxes(-1, -2) * frames.swapaxes(-1, -2)
        estimates = np.empty((self._n_sources, *samples.shape), np.float32)
        estimates[: self._n_inverted] = self._synthesis.push(
            inverted.swapaxes(-1, -2), samples.shape[-1]
        )
        if self._n_inverted < self._n_sources:
            np.subtract(samples, estimates[0], out=estimates[-1])
            for estimate in estimates[1:-1]:
                estimates[-1] -= estimate
        return estimates if frames.ndim == 2 else estimates.swapaxes(1, 2)


class BaseMaskSeparator(BaseEstimator, metaclass=ABCMeta):
    """A separator that multiplies the mixture's spectrogram by one mask a source.

    This class checks tracks, applies masks and scores; a subclass learns in `fit` (which sets
    `n_sources_` and `stft_params_`) and says what the masks are in `_mask_blocks`.

    What `sksvs.save` keeps of a fit, a subclass says itself: in `_learnt_facts` the names of
    attributes and their types (int, float, list of float, array of bool, STFTParams), in
    `_learnt_shapes` the arrays.
    """

    _masks_sum_to_one = True
    _learnt_facts = {"n_sources_": int, "stft_params_": STFTParams}

    @abstractmethod
    def fit(self, X, y=None):
        """Learn from the tracks, and set `n_sources_` and `stft_params_`."""

    @abstractmethod
    def _mask_blocks(self, spectrogram):
        """Yield ``(block, masks)`` from the first frame on; masks: (n_sources, n_freqs, n)."""

    def _check_parameters(self):
        """Raise a ValueError for a parameter that cannot be used."""

    def _learnt_shapes(self):
        """Return the shapes of the learnt arrays, from the parameters and `_learnt_facts` alone.

        Returns
        -------
        dict of str to tuple of int
            By attribute, "input_mean_", or for a dict by attribute and key, "weights_/mask/bias".
        """
        return {}

    def _set_learnt(self, learnt):
        """Set all learnt attributes, by name: what `fit` does, from a file."""
        for name, value in learnt.items():
            setattr(self, name, value)

    def predict(self, X):
        """Separate every track.

        The estimates of a track are all held at once, and so are all tracks: fifty stereo songs
        take 8 GB. `iter_predict` gives one track at a time.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_sources, n_samples) or (n_sources, n_samples, n_channels)
            The voice first, as long as the mixture to the sample.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X holds no spectrograms, or of other settings than those of `fit`.
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
            What `predict` gives, one item at a time. X is checked at once, samples when read.
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
            Each (n_sources, n) or (n_sources, n, n_channels): what `predict` gives, in order, cut
            in time. X is checked at once, samples when read. A reader, the network and the
            synthesis work at the same time where the process has more than one core.
        """
        spectrograms = self._check_predict(X)
        if len(spectrograms) != 1:
            raise ValueError(
                f"iter_blocks separates one track; got {len(spectrograms)}. Call it for each, or "
                "use iter_predict."
            )
        return self._separate_blocks(spectrograms[0])

    def predict_mask(self, X):
        """Return the masks behind `predict`: the analogue of `predict_proba`.

        Parameters
        ----------
        X : list of Spectrogram

        Returns
        -------
        list of array of float32, each (n_sources, n_freqs, n_frames)
            In [0, 1]. One mask serves all channels.
        """
        return [
            np.concatenate([masks for _, masks in self._mask_blocks(x.to_mono())], axis=-1)
            for x in self._check_predict(X)
        ]

    def score(self, X, y):
        """Return the mean SDR of the voice in dB, as a float that also has `.sdr .sir .sar`.

        Computed on the channel mean by BSS Eval version 3, source 0, without permutation, mean
        over tracks, with one track in memory at a time. See
        :func:`~sksvs.metrics.score_tracks` for what happens to what is undefined.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The true sources.

        Returns
        -------
        SeparationScore
        """
        spectrograms = self._check_predict(X)
        sources = check_sources(y, [x.waveform for x in spectrograms])
        if len(sources[0]) != self.n_sources_:
            raise ValueError(
                f"y[0] has {len(sources[0])} sources, but {type(self).__name__} was fitted with "
                f"{self.n_sources_}."
            )
        return score_tracks(
            (x.name, np.stack([s[:] for s in track]), self._estimate(x, track))
            for x, track in self._mono_tracks(spectrograms, sources)
        )

    def _mono_tracks(self, spectrograms, sources):
        """Yield the channel means: of one mask for all channels, the same as masking them."""
        for x, track in zip(spectrograms, sources):
            yield x.to_mono(), [source.to_mono() for source in track]

    def _estimate(self, spectrogram, sources):
        """Return what `score` judges; only an oracle looks at the (mono) sources."""
        return self._separate(spectrogram)

    def _separate(self, spectrogram):
        return self._join(spectrogram, self._separate_blocks(spectrogram))

    def _separate_blocks(self, spectrogram):
        return self._synthesise(spectrogram, self._mask_blocks(spectrogram))

    def _synthesise(self, spectrogram, mask_blocks):
        """Yield estimates block by block, given what `_mask_blocks` gives."""
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
        return spectrograms

    def _rate_remedy(self, spectrogram):
        """Return what to do about a song of another rate; nothing where that is not the matter."""
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
        return tags
