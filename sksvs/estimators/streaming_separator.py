"""Separate a live stream: blocks of samples in, blocks of estimates out."""

import warnings

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs.audio.centred import ROUNDING
from sksvs.audio.checks import check_shape, require_finite
from sksvs.estimators.gru_mask_separator import GRUMaskSeparator
from sksvs.parameters import check_range
from sksvs.prediction.masks import network_of, to_features, to_masks
from sksvs.prediction.synthesis import MaskedSynthesis
from sksvs.stft.spectrogram import FRAME_BLOCK, Block
from sksvs.stft.transform import analyse


class StreamingSeparator:
    """Separate samples as they come, with a network that only reads forwards.

    What `process` has returned after a block ends at most ``n_fft - 1`` samples before the end of
    the block, and `latency`, ``n_fft - hop_length`` samples, before it where blocks are multiples
    of `hop_length` long: a sample is complete when the last frame that sees it is. What all calls
    return together is as long as what came in.

    `predict` divides a track by its level, the RMS of its channel mean over the whole of it. A
    stream has no whole. With `level` given, the estimates are what `predict` gives for a track of
    that level, whatever the blocks. Without it, every frame is divided by the RMS of all that has
    come in up to its end, which does not depend on the blocks either: the estimates differ from
    those of `predict`, mostly at the beginning and after changes in loudness.

    `predict` takes the constant (DC) off a track, the mean of each channel over the whole of it,
    and adds it to the last estimate. Of a stream it is not known beforehand: the network sees it
    and divides it among the estimates. Subtract it, or pass the stream through a high-pass filter,
    where there is one. Both levels are those without it: the RMS up to the end of a frame is that
    about the mean up to there.

    Parameters
    ----------
    separator : GRUMaskSeparator or Pipeline that ends in one
        Fitted with ``bidirectional=False``. Of a pipeline only the last step is used: blocks keep
        their channels.
    level : float, optional
        RMS of the channel mean of what is to come, without its constant, full scale being 1.
    sample_rate : int, optional
        Of the stream, in Hz. By default it is that of the songs learnt from; where that is known,
        a warning says which it is.

    Attributes
    ----------
    params : STFTParams
        Analysis of the stream.
    latency : int
        In samples (n_fft=1024, hop_length=512: 512, which is 12 ms at 44.1 kHz).

    Raises
    ------
    TypeError, ValueError
        If the separator is no GRUMaskSeparator, reads both ways, does not know the sample rate
        of the songs learnt from where the stream has one, or a number is out of its range.

    Examples
    --------
    >>> stream = StreamingSeparator(separator)                        # doctest: +SKIP
    >>> for block in blocks_of_samples:                               # doctest: +SKIP
    ...     voice, accompaniment = stream.process(block)
    >>> voice, accompaniment = stream.flush()                         # doctest: +SKIP
    """

    def __init__(self, separator, level=None, sample_rate=None):
        last = separator[-1] if isinstance(separator, Pipeline) else separator
        if not isinstance(last, GRUMaskSeparator):
            raise TypeError(
                "A stream needs a GRUMaskSeparator or a Pipeline that ends in one; got "
                f"{type(last).__name__}."
            )
        check_is_fitted(last, "n_sources_")
        if last.layers_[0].bidirectional:
            raise ValueError(
                "A network that reads both ways has to know the end of a track before it begins. "
                "Fit a GRUMaskSeparator with bidirectional=False for streams."
            )
        check_range(last, "others_weight")
        for name, value in (("level", level), ("sample_rate", sample_rate)):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} must be positive and finite, or None; got {value!r}.")
        self.separator = last
        self.level = level
        fitted = last.stft_params_
        if sample_rate is None and fitted.sample_rate is not None:
            warnings.warn(
                f"The stream is taken to be at {fitted.sample_rate} Hz, as the songs learnt from "
                "are. Say at which rate it is: StreamingSeparator(..., sample_rate=...).",
                stacklevel=2,
            )
        self.params = fitted if sample_rate is None else fitted.at_rate(sample_rate)
        self._begin()

    @property
    def latency(self):
        """How far behind the estimates are, in samples."""
        return self.params.n_fft - self.params.hop_length

    def process(self, block):
        """Take the next samples; return the estimates that are complete now.

        Parameters
        ----------
        block : array of float, shape (n,) or (n, n_channels)
            Of any length, with as many channels in every block.

        Returns
        -------
        array of float32, shape (n_sources, m) or (n_sources, m, n_channels)
            The estimates go on where those of the last call ended.
        """
        block = self._check(block)
        params = self.params
        silence = -params.first_sample(0) if self._buffer is None else 0
        before = np.zeros((*block.shape[1:], silence)) if silence else self._buffer
        self._buffer = np.concatenate([before, block.T], axis=-1, dtype=np.float32)
        self._n_samples += len(block)
        seen_whole = (self._buffer.shape[-1] - params.n_fft) // params.hop_length + 1
        n_ready = max(0, seen_whole)
        return self._separate(n_ready, params.first_sample(self._n_frames + n_ready))

    def flush(self):
        """End the stream and return the rest of the estimates; the next block begins another.

        Returns
        -------
        array of float32, shape (n_sources, m) or (n_sources, m, n_channels)
        """
        if self._buffer is None:
            return np.empty((self.separator.n_sources_, 0), np.float32)
        params = self.params
        ready = params.n_frames(self._n_samples) - self._n_frames
        missing = (ready - 1) * params.hop_length + params.n_fft - self._buffer.shape[-1]
        silence = [(0, 0)] * (self._buffer.ndim - 1) + [(0, max(0, missing))]
        self._buffer = np.pad(self._buffer, silence)
        estimates = self._separate(ready, self._n_samples)
        self._begin()
        return estimates

    def _begin(self):
        separator = self.separator
        self._network = network_of(separator)
        self._state = self._network.initial_state()
        self._synthesis = MaskedSynthesis(self.params, separator.n_sources_, True)
        self._buffer = None  # from the first sample that the next frame sees: ([n_channels,] n)
        self._n_frames = 0  # that have been separated
        self._n_samples = 0  # that have come in
        # Of the samples that the last frame and those before it have seen, and of their squares.
        self._sums = np.zeros(2)

    def _check(self, block):
        block = np.asarray(block)
        name = "The block"
        if not np.issubdtype(block.dtype, np.floating):
            raise TypeError(f"{name} must hold floating-point samples; got {block.dtype}.")
        if block.size > 0:
            check_shape(block.shape, name)
        expected = block.shape[1:] if self._buffer is None else self._buffer.shape[:-1]
        if block.ndim not in (1, 2) or block.shape[1:] != expected:
            got, wanted = block.shape, ", ".join(["n", *map(str, expected)])
            raise ValueError(f"{name} must have shape ({wanted}) as those before; got {got}.")
        return require_finite(block, name, 0)

    def _separate(self, n_ready, end):
        """Return the estimates up to sample `end`, given by the next `n_ready` frames."""
        params, parts = self.params, []
        for done in range(0, n_ready, FRAME_BLOCK):
            n = min(FRAME_BLOCK, n_ready - done)
            last = done + n == n_ready
            stop = end if last else params.first_sample(self._n_frames + n)
            parts.append(self._separate_block(n, stop))
        if parts:
            return np.concatenate(parts, axis=1)
        shape = (self.separator.n_sources_, 0, *self._buffer.shape[:-1])
        return np.empty(shape, np.float32)

    def _separate_block(self, n, stop):
        separator, params = self.separator, self.params
        first = params.first_sample(self._n_frames)
        seen = self._buffer[..., : (n - 1) * params.hop_length + params.n_fft]
        finished = seen[..., max(0, -first) : max(0, stop) - first]
        block = Block(self._n_frames, analyse(seen, params), finished)
        level = self._causal_levels(seen, first, n) if self.level is None else self.level
        features = to_features(separator, params, level, block.frames)
        output, self._state = self._network.run(features, self._state)
        self._n_frames += n
        self._buffer = self._buffer[..., n * params.hop_length :]
        return self._synthesis.push(block, to_masks(separator, params, output))

    def _causal_levels(self, seen, first, n):
        """Return the RMS about the mean of all up to the end of each frame; 1 if that is 0."""
        params = self.params
        known = 0 if self._n_frames == 0 else params.n_fft - params.hop_length
        mono = seen.astype(np.float64) if seen.ndim == 1 else seen.mean(axis=0, dtype=np.float64)
        ends = params.n_fft + params.hop_length * np.arange(n)
        new = np.cumsum([mono[known:], mono[known:] ** 2], axis=1)[:, ends - known - 1]
        sums = self._sums[:, np.newaxis] + new
        self._sums = sums[:, -1]
        mean, square = sums / np.minimum(first + ends, self._n_samples)
        variance = square - mean**2
        return np.sqrt(np.where(variance > ROUNDING * square, variance, 1))
