"""Analyse waveforms when frames of their STFT are read, and invert it block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from sksvs.audio.waveform import Waveform
from sksvs.stft.settings import STFTParams

FRAME_BLOCK = 256  # frames that are analysed at once when a whole track is read


class Block(NamedTuple):
    """A range of frames of a spectrogram, and the samples that no later frame overlaps.

    Attributes
    ----------
    start : int
        The first frame.
    frames : array of complex64, shape (n_freqs, n) or (n_channels, n_freqs, n)
    samples : array of float32, shape (n_samples,) or (n_channels, n_samples)
        From the first sample of the block's first frame to that of the next block, or to the end
        of the track. The samples of all blocks, joined, are the whole waveform.
    """

    start: int
    frames: np.ndarray
    samples: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram:
    """The STFT of a waveform, computed when it is read.

    It holds the waveform and the settings; no frames.

    Parameters
    ----------
    waveform : Waveform, shape (n_samples,) or (n_samples, n_channels)
    params : STFTParams
    mask_rule : callable, optional
        The ideal mask for losses on masks, which IRMTarget attaches. It takes the magnitudes of
        the sources, (n_sources, n_freqs, n_frames), and returns masks of that shape.
    target : Target, optional
        The sources of this track. The `fit` of a separator attaches it to copies of its own.

    Examples
    --------
    >>> from sksvs.audio import ArrayWaveform
    >>> noise = ArrayWaveform(np.random.default_rng(0).normal(size=1000))
    >>> spectrogram = Spectrogram(noise, STFTParams(n_fft=64, hop_length=32))
    >>> spectrogram.shape, spectrogram.frames(3, 5).shape
    ((33, 33), (33, 2))
    >>> np.allclose(spectrogram.istft(spectrogram.stft), noise[:], atol=1e-5)
    True
    """

    waveform: Waveform
    params: STFTParams
    mask_rule: Callable | None = None
    target: "Target | None" = None

    @property
    def name(self) -> str:
        """The name of the track in errors."""
        return self.waveform.name

    @property
    def n_freqs(self) -> int:
        """The number of frequency bins."""
        return self.params.n_freqs

    @property
    def n_frames(self) -> int:
        """The number of frames that overlap the waveform."""
        return self.params.n_frames(self.waveform.n_samples)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n_freqs, n_frames)``, or ``(n_channels, n_freqs, n_frames)``."""
        return (*self.waveform.shape[1:], self.n_freqs, self.n_frames)

    @property
    def ndim(self) -> int:
        """2 for mono, 3 with channels."""
        return len(self.shape)

    @property
    def stft(self) -> np.ndarray:
        """All frames: complex64, of shape `shape`."""
        stft = np.empty(self.shape, np.complex64)
        for start, frames in self.blocks():
            stft[..., start : start + frames.shape[-1]] = frames
        return stft

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return self.stft if dtype is None else self.stft.astype(dtype)

    def __repr__(self):
        return f"<Spectrogram of {self.name}: shape {self.shape}>"

    def frames(self, start: int, stop: int) -> np.ndarray:
        """Return the frames ``start <= frame < stop``, reading only the samples that they overlap.

        Frames before the first and after the last are zero.

        Returns
        -------
        array of complex64, shape (n_freqs, stop - start) or (n_channels, n_freqs, stop - start)
        """
        return self.read_block(start, stop).frames

    def read_block(self, start: int, stop: int) -> Block:
        """Return the frames ``start <= frame < stop`` and the samples that they complete.

        Returns
        -------
        Block
        """
        params, n_samples = self.params, self.waveform.n_samples
        if stop <= start:
            empty = np.empty((*self.shape[:-1], 0), np.complex64)
            return Block(start, empty, np.empty((*self.shape[:-2], 0), np.float32))
        first = params.first_sample(start)
        length = (stop - start - 1) * params.hop_length + params.n_fft
        samples = np.zeros((*self.shape[:-2], length), np.float32)
        low, high = (min(max(0, i), n_samples) for i in (first, first + length))
        samples[..., low - first : high - first] = self.waveform[low:high].T
        end = n_samples if stop == self.n_frames else params.first_sample(stop)
        complete = samples[..., low - first : max(low, min(end, n_samples)) - first]
        return Block(start, analyse(samples, params), complete)

    def block_ranges(self, length: int = FRAME_BLOCK) -> Iterator[tuple[int, int]]:
        """Yield ``(start, stop)`` of consecutive blocks of at most `length` frames."""
        for start in range(0, self.n_frames, length):
            yield start, min(start + length, self.n_frames)

    def blocks(self, length: int = FRAME_BLOCK) -> Iterator[tuple[int, np.ndarray]]:
        """Yield ``(start, frames)`` in order, `length` frames at a time."""
        for start, stop in self.block_ranges(length):
            yield start, self.frames(start, stop)

    def istft(self, stft: np.ndarray) -> np.ndarray:
        """Return the waveform of a spectrogram of this shape: the exact inverse of `stft`.

        Parameters
        ----------
        stft : array of complex, shape (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)

        Returns
        -------
        array of float32, shape (n_samples,) or (n_samples, n_channels)
            As long as the waveform, to the sample.
        """
        if stft.shape != self.shape:
            raise ValueError(
                f"The STFT to invert must have shape {self.shape}, as {self.name} has; got "
                f"{stft.shape}."
            )
        return Synthesis(self.params).push(stft, self.waveform.n_samples).T

    def to_mono(self) -> "Spectrogram":
        """View the spectrogram of the downmix, with the same rule and target."""
        return self if self.ndim == 2 else replace(self, waveform=self.waveform.to_mono())


@dataclass(frozen=True, eq=False)
class Target:
    """The sources of one track and their ideal masks, read a range of frames at a time.

    Parameters
    ----------
    sources : tuple of Spectrogram
        Of the downmix of each source, with the settings of the mixture.
    rule : callable
        Takes magnitudes of shape ``(n_sources, n_freqs, n_frames)``, returns masks of that shape.
    """

    sources: tuple[Spectrogram, ...]
    rule: Callable

    @property
    def n_sources(self):
        """The number of sources."""
        return len(self.sources)

    def frames(self, start, stop):
        """Return the sources' frames: (n_sources, n_freqs, stop - start), complex64."""
        frames = [source.frames(start, stop).T for source in self.sources]
        return np.swapaxes(np.stack(frames), 1, 2)  # frequencies last in memory, as `analyse`

    def magnitudes(self, start, stop):
        """Return the sources' magnitudes: (n_sources, n_freqs, stop - start), float32."""
        return np.abs(self.frames(start, stop))

    def masks(self, start, stop):
        """Return the sources' ideal masks: (n_sources, n_freqs, stop - start), float32."""
        return self.rule(self.magnitudes(start, stop))


def analyse(samples, params):
    """Return the STFT of samples: one frame every `hop_length` of them, from the first on.

    Parameters
    ----------
    samples : array of float32, shape (..., n_samples)
        At least `n_fft` samples; those after the last full window are left out.
    params : STFTParams

    Returns
    -------
    array of complex64, shape (..., n_freqs, n_frames)
        A view of an array whose last axis is frequency.
    """
    window = params.transform.win.astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, params.n_fft, axis=-1)
    spectra = rfft(pieces[..., :: params.hop_length, :] * window, overwrite_x=True)
    return np.swapaxes(spectra, -1, -2)


class Synthesis:
    """Invert a spectrogram block by block, by overlap-add.

    Parameters
    ----------
    params : STFTParams

    Examples
    --------
    >>> from sksvs.stft import STFTParams
    >>> params = STFTParams(n_fft=4, hop_length=2, window="hann")
    >>> samples = np.arange(8, dtype=np.float32)
    >>> frames = analyse(np.pad(samples, (2, 2)), params)  # frame 0 begins 2 samples before
    >>> synthesis = Synthesis(params)
    >>> np.concatenate([synthesis.push(frames[:, :2], 2), synthesis.push(frames[:, 2:], 6)])
    array([0., 1., 2., 3., 4., 5., 6., 7.], dtype=float32)
    """

    def __init__(self, params):
        self.params = params
        self._position = params.first_sample(0)
        self._unfinished = None  # samples that the next frame overlaps

    def push(self, frames, n_samples):
        """Add the next frames; return the samples that they complete.

        Parameters
        ----------
        frames : array of complex64, shape (..., n_freqs, n_frames)
            The leading axes stay the same from block to block.
        n_samples : int
            How many samples to return: up to where the next frame begins, or to the end of the
            track.

        Returns
        -------
        array of float32, shape (..., n_samples)
        """
        n_fft, hop_length = self.params.n_fft, self.params.hop_length
        pieces = irfft(np.swapaxes(frames, -1, -2), n=n_fft)
        window = self.params.transform.dual_win.astype(np.float32)
        samples = _overlap_add(pieces, window, hop_length)
        if self._unfinished is not None:
            samples[..., : n_fft - hop_length] += self._unfinished
        finished = frames.shape[-1] * hop_length
        self._unfinished = samples[..., finished:].copy()
        before_track = max(0, -self._position)
        self._position += finished
        return samples[..., before_track : before_track + n_samples]


def _overlap_add(pieces, window, hop_length):
    """Window pieces and add them up, each `hop_length` after the one before.

    Loops over the ``n_fft / hop_length`` parts of a piece, over all pieces at once, rather than
    over pieces. (..., n, n_fft) becomes (..., n_samples).
    """
    *leading, n, n_fft = pieces.shape
    n_hops = -(-n_fft // hop_length)
    samples = np.empty((*leading, n + n_hops - 1, hop_length), pieces.dtype)
    np.multiply(pieces[..., :hop_length], window[:hop_length], out=samples[..., :n, :])
    samples[..., n:, :] = 0
    for i in range(1, n_hops):
        part = pieces[..., i * hop_length : (i + 1) * hop_length]
        part *= window[i * hop_length : (i + 1) * hop_length]
        samples[..., i : i + n, : part.shape[-1]] += part
    return samples.reshape(*leading, -1)[..., : (n - 1) * hop_length + n_fft]
