"""View a waveform as short-time spectra that are computed when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sksvs.audio.waveform import Waveform
from sksvs.stft.settings import STFTParams
from sksvs.stft.transform import Synthesis, analyse

FRAME_BLOCK = 256  # frames: what is analysed at once where a whole track is walked through


class Block(NamedTuple):
    """A range of frames of a spectrogram, and the samples that no later frame sees.

    Attributes
    ----------
    start : int
        The first frame.
    frames : array of complex64, shape (n_freqs, n) or (n_channels, n_freqs, n)
    samples : array of float32, shape (n_samples,) or (n_channels, n_samples)
        From where the first frame begins to where the next block's begins; the last block's go to
        the end of the track. Block after block, these are the whole waveform.
    """

    start: int
    frames: np.ndarray
    samples: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram:
    """The short-time spectra of a waveform, computed when they are asked for.

    It holds the waveform that it views and the settings; no frames. Analysis and synthesis live
    here together, so that they cannot disagree.

    Parameters
    ----------
    waveform : Waveform, shape (n_samples,) or (n_samples, n_channels)
    params : STFTParams
    mask_rule : callable, optional
        The ideal mask that a separator is to learn, as IRMTarget chooses it: takes the sources'
        magnitudes, (n_sources, n_freqs, n_frames), and returns masks of that shape.
    target : Target, optional
        The sources of this track. A separator sets it, in `fit`, on spectrograms of its own.

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
    def name(self):
        """What errors call this track."""
        return self.waveform.name

    @property
    def n_freqs(self):
        """Frequency bins."""
        return self.params.n_freqs

    @property
    def n_frames(self):
        """Frames that touch the waveform."""
        return self.params.n_frames(self.waveform.n_samples)

    @property
    def shape(self):
        """``(n_freqs, n_frames)``, with a leading channel axis where the waveform has channels."""
        return (*self.waveform.shape[1:], self.n_freqs, self.n_frames)

    @property
    def ndim(self):
        """2 for mono, 3 with channels."""
        return len(self.shape)

    @property
    def stft(self):
        """All frames: `shape`, complex64."""
        stft = np.empty(self.shape, np.complex64)
        for start, frames in self.blocks():
            stft[..., start : start + frames.shape[-1]] = frames
        return stft

    def __array__(self, dtype=None, copy=None):
        return self.stft if dtype is None else self.stft.astype(dtype)

    def __repr__(self):
        return f"<Spectrogram of {self.name}: shape {self.shape}>"

    def frames(self, start, stop):
        """Return the frames ``start <= frame < stop``, reading only the samples they see.

        Frames before the first and after the last are those of silence.

        Returns
        -------
        array of complex64, shape (n_freqs, stop - start) or (n_channels, n_freqs, stop - start)
        """
        return self.read_block(start, stop).frames

    def read_block(self, start, stop):
        """Return the frames ``start <= frame < stop`` with the samples that they finish.

        Returns
        -------
        Block
        """
        params, n_samples = self.params, self.waveform.n_samples
        if stop <= start:
            empty = np.empty((*self.shape[:-1], 0), np.complex64)
            return Block(start, empty, np.empty((*self.shape[:-2], 0), np.float32))
        first = params.first_sample(start)
        seen = np.zeros(
            (*self.shape[:-2], (stop - start - 1) * params.hop_length + params.n_fft), np.float32
        )
        low, high = (min(max(0, i), n_samples) for i in (first, first + seen.shape[-1]))
        seen[..., low - first : high - first] = self.waveform[low:high].T
        end = n_samples if stop == self.n_frames else params.first_sample(stop)
        finished = seen[..., low - first : max(low, min(end, n_samples)) - first]
        return Block(start, analyse(seen, params), finished)

    def block_ranges(self, length=FRAME_BLOCK):
        """Yield ``(start, stop)`` of consecutive blocks of at most `length` frames."""
        for start in range(0, self.n_frames, length):
            yield start, min(start + length, self.n_frames)

    def blocks(self, length=FRAME_BLOCK):
        """Yield ``(start, frames)`` in order, `length` frames at a time."""
        for start, stop in self.block_ranges(length):
            yield start, self.frames(start, stop)

    def istft(self, stft):
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
                f"The STFT to invert must have shape {self.shape}, as that of {self.name}; got "
                f"{stft.shape}."
            )
        return Synthesis(self.params).push(stft, self.waveform.n_samples).T

    def to_mono(self):
        """View the spectrogram of the downmix; the rest stays as it is."""
        return self if self.ndim == 2 else replace(self, waveform=self.waveform.to_mono())


@dataclass(frozen=True, eq=False)
class Target:
    """The sources of one track and the masks that separate them ideally, read in ranges.

    Parameters
    ----------
    sources : tuple of Spectrogram
        Of the downmixes of the sources, with the mixture's own settings.
    rule : callable
        Takes magnitudes of shape ``(n_sources, n_freqs, n_frames)``, returns masks of that shape.
    """

    sources: tuple[Spectrogram, ...]
    rule: Callable

    @property
    def n_sources(self):
        """The number of sources, the voice first."""
        return len(self.sources)

    def frames(self, start, stop):
        """Return the sources' frames: (n_sources, n_freqs, stop - start), complex64."""
        n_freqs = self.sources[0].n_freqs
        frames = np.empty((self.n_sources, stop - start, n_freqs), np.complex64)
        for source, values in zip(self.sources, frames):
            values[:] = source.frames(start, stop).T
        return np.swapaxes(frames, 1, 2)

    def magnitudes(self, start, stop):
        """Return the sources' magnitudes: (n_sources, n_freqs, stop - start), float32."""
        return np.abs(self.frames(start, stop))

    def masks(self, start, stop):
        """Return the sources' ideal masks: (n_sources, n_freqs, stop - start), float32."""
        return self.rule(self.magnitudes(start, stop))
