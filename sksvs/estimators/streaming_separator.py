"""Separate a live stream: blocks of samples in, blocks of estimates out."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs.audio.centred import ROUNDING
from sksvs.audio.checks import check_shape, require_finite
from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.spec import is_causal, lookahead
from sksvs.parameters import check_range
from sksvs.prediction.channels import favour_centre
from sksvs.prediction.masks import network_of, to_features, to_masks
from sksvs.prediction.synthesis import MaskedSynthesis
from sksvs.stft.spectrogram import FRAME_BLOCK, Block, analyse


class StreamingSeparator:
    """Separate samples as they come, with a causal network.

    The estimates that `process` has returned after a block lag at most ``n_fft - 1`` samples behind
    the end of the block, and `latency` = ``n_fft - hop_length`` samples where the length of blocks
    is a multiple of `hop_length`: a sample is complete with the last frame that contains it. The
    estimates of all calls together are as long as the input.

    `predict` divides a track by its level, the RMS of the whole downmix, which a stream does not
    have. With `level` given, the estimates are those of `predict` for a track of that level,
    whatever the blocks. Without it, every frame is divided by the RMS of all samples up to its end,
    whatever the blocks; the estimates differ from those of `predict`, mostly at the beginning and
    after changes in loudness.

    `predict` subtracts the constant (DC) of a track, the mean of each channel over the whole of it,
    and adds it to the last estimate. In a stream it is not known beforehand and is divided among
    the estimates. Where there is one, subtract it or high-pass the stream. Both levels are without
    it: the RMS up to the end of a frame is that about the mean up to there.

    Parameters
    ----------
    separator : separator with one network or Pipeline that ends in one
        A fitted GRUMaskSeparator or CRNSeparator with ``bidirectional=False``, or another whose
        network needs no later frames. Only the last step of a pipeline is used: there is no
        downmix.
    level : float, optional
        RMS of the downmix of the whole stream, without its constant; full scale is 1.
    sample_rate : int, optional
        Of the stream, in Hz. By default that of the training data, with a warning that says which
        it is where it is known.

    Attributes
    ----------
    params : STFTParams
        Analysis of the stream.
    latency : int
        In samples (n_fft=1024, hop_length=512: 512, which is 12 ms at 44.1 kHz).

    Raises
    ------
    TypeError, ValueError
        If the separator has no network or several, or its network is bidirectional or has a
        look-ahead, a `sample_rate` is given but that of the training data is not known, or a number
        is out of its range.

    Examples
    --------
    >>> stream = StreamingSeparator(separator)                        # doctest: +SKIP
    >>> for block in blocks_of_samples:                               # doctest: +SKIP
    ...     voice, accompaniment = stream.process(block)
    >>> voice, accompaniment = stream.flush()                         # doctest: +SKIP
    """

    _buffer: Any  # an array, or None before the first block

    def __init__(
        self,
        separator: BaseNetworkSeparator | Pipeline,
        level: float | None = None,
        sample_rate: int | None = None,
    ):
        last = separator[-1] if isinstance(separator, Pipeline) else separator
        if not isinstance(last, BaseNetworkSeparator):
            raise TypeError(
                "A stream needs a separator with one network, such as a GRUMaskSeparator, or a "
                f"Pipeline that ends in one; got {type(last).__name__}."
            )
        check_is_fitted(last, "n_sources_")
        if not is_causal(last.layers_) or lookahead(last.layers_):
            raise ValueError(
                "A stream needs a causal network without look-ahead, and that of this "
                f"{type(last).__name__} needs later frames. Fit a CRNSeparator or GRUMaskSeparator "
                "with bidirectional=False."
            )
        check_range(last, "others_weight", "side_weight")
        for name, value in (("level", level), ("sample_rate", sample_rate)):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} must be positive and finite, or None; got {value!r}.")
        self.separator = last
        self.level = level
        fitted = last.stft_params_
        if sample_rate is None and fitted.sample_rate is not None:
            warnings.warn(
                f"The stream is taken to be at {fitted.sample_rate} Hz, the sample rate of the "
                "training data. Give its own: StreamingSeparator(..., sample_rate=...).",
                stacklevel=2,
            )
        self.params = fitted if sample_rate is None else fitted.at_rate(sample_rate)
        self._begin()

    @property
    def latency(self) -> int:
        """How far the estimates lag behind the input, in samples."""
        return self.params.n_fft - self.params.hop_length

    def process(self, block: npt.ArrayLike) -> np.ndarray:
        """Separate the next samples; return the estimates that are complete now.

        Parameters
        ----------
        block : array of float, shape (n,) or (n, n_channels)
            Of any length; every block has the same number of channels.

        Returns
        -------
        array of float32, shape (n_sources, m) or (n_sources, m, n_channels)
            They follow those of the last call.
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

    def flush(self) -> np.ndarray:
        """End the stream and return the remaining estimates; the next block begins another.

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
        self._buffer = None  # from the first sample of the next frame on: ([n_channels,] n)
        self._n_frames = 0  # that have been separated
        self._n_samples = 0  # that have come in
        # Of all samples up to the end of the last frame, and of their squares.
        self._sums = np.zeros(2)

    def _check(self, block: Any) -> np.ndarray:
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
        """Return the estimates up to sample `end`, from the next `n_ready` frames."""
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
        masks = to_masks(separator, params, output)
        masks = favour_centre(masks, block.frames, separator.side_weight)
        return self._synthesis.push(block, masks)

    def _causal_levels(self, seen, first, n):
        """Return the RMS of all samples up to the end of each frame, about their mean; 1 for 0."""
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
