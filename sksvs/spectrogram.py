"""Turn a waveform into short-time spectra and back, a block of frames at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import irfft
from scipy.signal import ShortTimeFFT, get_window

from sksvs.waveform import Waveform

FRAME_BLOCK = 1024  # frames: what is analysed at once where a whole track is walked through
LARGEST_DUAL_WINDOW = 10.0


@dataclass(frozen=True)
class STFTParams:
    """All that fixes a short-time Fourier transform; hashable, and equal where the values are.

    Parameters
    ----------
    n_fft : int, default=1024
        Length of the window and of the transform in samples (1024: 23 ms at 44.1 kHz).
    hop_length : int, default=512
        Samples from one frame to the next.
    window : str or tuple, default="hamming"
        What `scipy.signal.get_window` takes: "hann", ("kaiser", 8.0), … Huang et al. 2014 use
        the sine window, which is called "cosine" there.
    sample_rate : int, optional
        In Hz, where it is known.

    Raises
    ------
    ValueError
        If a value is out of range or the transform has no usable inverse: some samples are seen
        by no frame, or so faintly that the dual window exceeds 10.

    Examples
    --------
    >>> STFTParams(n_fft=1024, hop_length=512).n_frames(44100)
    88
    """

    n_fft: int = 1024
    hop_length: int = 512
    window: str | tuple = "hamming"
    sample_rate: int | None = None

    def __post_init__(self):
        if isinstance(self.window, list):
            object.__setattr__(self, "window", tuple(self.window))
        for name, smallest in (("n_fft", 2), ("hop_length", 1)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < smallest:
                raise ValueError(
                    f"{name} must be an integer of at least {smallest}; got {value!r}."
                )
        if not isinstance(self.window, (str, tuple, float)):
            raise ValueError(
                f"window must be a name or a tuple of a name and parameters; got {self.window!r}."
            )
        _build_transform(self.n_fft, self.hop_length, self.window)  # refuses what has no inverse

    @property
    def transform(self):
        """The `scipy.signal.ShortTimeFFT` that does the work."""
        return _build_transform(self.n_fft, self.hop_length, self.window)

    @property
    def n_freqs(self):
        """``n_fft // 2 + 1``, from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1

    def n_frames(self, n_samples):
        """Return the number of frames that touch a waveform of `n_samples`.

        What is shorter than half a window counts as padded with silence to half a window.
        """
        return self.transform.p_num(max(n_samples, -(-self.n_fft // 2)))

    def differs_from(self, other):
        """Say in words what differs from `other`; None where nothing does.

        An unknown sample rate matches any.
        """
        pairs = [
            (name, getattr(self, name), getattr(other, name))
            for name in ("n_fft", "hop_length", "window", "sample_rate")
        ]
        words = [
            f"{name}={mine!r} instead of {theirs!r}"
            for name, mine, theirs in pairs
            if mine != theirs and not (name == "sample_rate" and None in (mine, theirs))
        ]
        return ", ".join(words) or None


@lru_cache(maxsize=64)
def _build_transform(n_fft, hop_length, window):
    settings = f"An STFT with n_fft={n_fft}, hop_length={hop_length}, window={window!r}"
    try:
        shape = get_window(window, n_fft)
    except ValueError as error:
        raise ValueError(
            f"{settings} has no such window. Take what scipy.signal.get_window knows, such as "
            f"'hann', or ('kaiser', 8.6) where the window has a parameter. ({error})"
        ) from error
    transform = ShortTimeFFT(shape, hop_length, fs=1.0, mfft=n_fft, phase_shift=None)
    try:
        peak = float(np.max(np.abs(transform.dual_win)))
    except ValueError as error:
        raise ValueError(
            f"{settings} has no inverse: some samples are seen by no frame. Take a smaller "
            "hop_length (n_fft // 2 suits most windows)."
        ) from error
    if peak > LARGEST_DUAL_WINDOW:
        raise ValueError(
            f"{settings} has no stable inverse: its dual window reaches {peak:.3g}, so rounding "
            f"errors would be heard; at most {LARGEST_DUAL_WINDOW:g} is accepted. Take a smaller "
            "hop_length or a window that does not fall to zero."
        )
    return transform


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram:
    """The short-time spectra of a waveform, computed when they are asked for.

    It holds the waveform that it views, the settings and, while fitting, a target; no frames.
    Analysis and synthesis live here together, so that they cannot disagree.

    Parameters
    ----------
    waveform : Waveform, shape (n_samples,) or (n_samples, n_channels)
    params : STFTParams
    target : Target, optional
        What a separator is to learn for this track.

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
        attached = "no target" if self.target is None else "with a target"
        return f"<Spectrogram of {self.name}: shape {self.shape}, {attached}>"

    def frames(self, start, stop):
        """Return the frames ``start <= frame < stop``, reading only the samples they see.

        Frames before the first and after the last are those of silence.

        Returns
        -------
        array of complex64, shape (n_freqs, stop - start) or (n_channels, n_freqs, stop - start)
        """
        transform = self.params.transform
        before = transform.m_num_mid  # samples that a frame sees before its own moment
        first = (start + transform.p_min) * transform.hop - before
        last = first + max(0, stop - start - 1) * transform.hop + transform.m_num
        samples = self.waveform[max(0, first) : max(0, last)].T  # ([n_channels,] n)
        silence_before = min(max(0, -first), last - first)
        silence_after = last - first - silence_before - samples.shape[-1]
        padding = [(0, 0)] * (samples.ndim - 1) + [(silence_before, silence_after)]
        samples = np.pad(samples, padding)
        stft = transform.stft(samples, p0=0, p1=max(1, stop - start), k_offset=before)
        return stft[..., : stop - start].astype(np.complex64)

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
        samples = np.zeros(self.waveform.shape, np.float32)
        self.overlap_add(samples, stft, 0)
        return samples

    def overlap_add(self, samples, frames, start):
        """Add what the frames from number `start` on contribute to the waveform.

        The inverse is a sum over frames, so a track can be synthesised block by block.

        Parameters
        ----------
        samples : array of float, shape (n_samples,) or (n_samples, n_channels)
            Added to in place.
        frames : array of complex, shape (n_freqs, n) or (n_channels, n_freqs, n)
        start : int
        """
        transform = self.params.transform
        # Not ShortTimeFFT.istft: from a sample before the first it counts frames from the end.
        pieces = irfft(np.swapaxes(frames, -1, -2), n=transform.m_num)
        pieces *= transform.dual_win.astype(pieces.dtype)
        for i in range(frames.shape[-1]):
            first = (start + i + transform.p_min) * transform.hop - transform.m_num_mid
            low = min(max(0, first), len(samples))
            high = max(low, min(first + transform.m_num, len(samples)))
            samples[low:high] += pieces[..., i, low - first : high - first].T

    def to_mono(self):
        """View the spectrogram of the channel mean, with the same target."""
        return (
            self
            if self.ndim == 2
            else Spectrogram(self.waveform.to_mono(), self.params, self.target)
        )

    def with_target(self, target):
        """Return this spectrogram with a target attached (None: without one)."""
        return Spectrogram(self.waveform, self.params, target)


@dataclass(frozen=True, eq=False)
class Target:
    """What a separator is to learn for one track: masks and source magnitudes, read in ranges.

    Parameters
    ----------
    sources : tuple of Spectrogram
        Of the channel means of the sources, with the mixture's own settings.
    rule : callable
        Takes magnitudes of shape ``(n_sources, n_freqs, n_frames)``, gives masks of that shape.
    """

    sources: tuple[Spectrogram, ...]
    rule: Callable

    @property
    def n_sources(self):
        """The number of sources, the voice first."""
        return len(self.sources)

    def magnitudes(self, start, stop):
        """Return the sources' magnitudes: (n_sources, n_freqs, stop - start), float32."""
        return np.stack([np.abs(source.frames(start, stop)) for source in self.sources])

    def masks(self, start, stop):
        """Return the sources' target masks: (n_sources, n_freqs, stop - start), float32."""
        return self.rule(self.magnitudes(start, stop))
