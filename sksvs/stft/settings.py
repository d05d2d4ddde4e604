"""The settings of a short-time Fourier transform: window, hop and sample rate."""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from scipy.signal import ShortTimeFFT, get_window

from sksvs.parameters import check_range

MAX_DUAL_WINDOW = 10.0
MAX_WORK = 1 << 28  # n_fft² / hop_length: what it takes to find the inverse


@dataclass(frozen=True)
class STFTParams:
    """The settings of a short-time Fourier transform; hashable, and equal where the values are.

    Parameters
    ----------
    n_fft : int, default=1024
        Length of the window and of the transform in samples (1024: 23 ms at 44.1 kHz).
    hop_length : int, default=512
        Samples from one frame to the next.
    window : str or tuple, default="hamming"
        A window as `scipy.signal.get_window` takes it: "hann", ("kaiser", 8.0), … The sine
        window of Huang et al. 2014 is called "cosine" there.
    sample_rate : int, optional
        In Hz; None where it is not known.

    Raises
    ------
    ValueError
        If a value is out of range or the transform has no usable inverse: no frame covers some
        samples, or the window weights them so little that the dual window exceeds 10.

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
        check_range(self, "n_fft", "hop_length", "window", "sample_rate")
        if self.n_fft**2 > MAX_WORK * self.hop_length:
            raise ValueError(
                f"An STFT with n_fft={self.n_fft}, hop_length={self.hop_length} takes too long. "
                "Take a larger hop_length."
            )
        _build_transform(self.n_fft, self.hop_length, self.window)  # refuses what has no inverse

    @property
    def transform(self) -> ShortTimeFFT:
        """The `scipy.signal.ShortTimeFFT` with these settings."""
        return _build_transform(self.n_fft, self.hop_length, self.window)

    @property
    def n_freqs(self) -> int:
        """``n_fft // 2 + 1``, from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames that overlap a waveform of `n_samples`.

        A waveform shorter than half a window counts as half a window long.
        """
        return self.transform.p_num(max(n_samples, -(-self.n_fft // 2)))

    def first_sample(self, frame: int) -> int:
        """Return the index of the first sample of a frame; negative before the track."""
        transform = self.transform
        return int((frame + transform.p_min) * transform.hop - transform.m_num_mid)

    def at_rate(self, sample_rate: int) -> "STFTParams":
        """Return settings for another sample rate with the same window and hop in seconds.

        `n_fft` is rounded to an even number, `hop_length` to a whole one. So bin k keeps its
        frequency up to the rounding (1024 at 16 kHz becomes 2822 at 44.1 kHz instead of 2822.4:
        0.01 %), and the number of bins follows the Nyquist frequency.

        Parameters
        ----------
        sample_rate : int
            In Hz.

        Returns
        -------
        STFTParams

        Raises
        ------
        ValueError
            If the settings have no sample rate, the shape of the window depends on its length (as
            "gaussian", whose width is in samples), or the settings for the other rate are not
            usable: see :class:`STFTParams`.

        Examples
        --------
        >>> STFTParams(1024, 512, "cosine", 16000).at_rate(44100)
        STFTParams(n_fft=2822, hop_length=1411, window='cosine', sample_rate=44100)
        """
        if sample_rate == self.sample_rate:
            return self
        if self.sample_rate is None:
            raise ValueError(
                f"STFT settings can be used at {sample_rate} Hz only if their own sample rate is "
                "known. Give STFTTransformer(sample_rate=...)."
            )
        if not _keeps_shape(self.window):
            raise ValueError(
                f"The shape of window={self.window!r} depends on its length, so it cannot be used "
                f"at {sample_rate} Hz as at {self.sample_rate} Hz. Take 'hann', 'cosine' or "
                "('kaiser', 8.6), or resample with sksvs.audio.resample."
            )
        ratio = sample_rate / self.sample_rate
        n_fft, hop_length = self.n_fft * ratio, self.hop_length * ratio
        try:
            return STFTParams(2 * round(n_fft / 2), round(hop_length), self.window, sample_rate)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"A window of {self.n_fft} samples and a hop of {self.hop_length} at "
                f"{self.sample_rate} Hz would have {n_fft:.6g} and {hop_length:.6g} samples at "
                f"{sample_rate} Hz. {error}"
            ) from error

    def differs_from(self, other: "STFTParams") -> str | None:
        """Describe the differences from `other` for an error; None where there are none.

        An unknown sample rate matches any. Two known ones may differ if the window and the hop
        have the same duration, within rounding: see :meth:`at_rate`.
        """
        if self.is_at_another_rate(other):
            return None
        words = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if mine != theirs and not (field.name == "sample_rate" and None in (mine, theirs)):
                words.append(f"{field.name}={mine!r} instead of {theirs!r}")
        return ", ".join(words) or None

    def can_be(self, other: "STFTParams") -> bool:
        """Return whether nothing differs from `other` at some sample rate.

        That is the own sample rate if it is known; otherwise any.
        """
        if self.differs_from(other) is None:
            return True
        if self.sample_rate is not None or other.sample_rate is None:
            return False
        lowest, highest = self._rate_ratios(other)
        return lowest <= highest

    def is_at_another_rate(self, other: "STFTParams") -> bool:
        """Return whether these are the settings `other` at another sample rate, both known."""
        mine, theirs = self.sample_rate, other.sample_rate
        if mine is None or theirs is None or mine == theirs:
            return False
        lowest, highest = self._rate_ratios(other)
        return lowest * (1 - 1e-9) <= mine / theirs <= highest * (1 + 1e-9)

    def _rate_ratios(self, other):
        """Return between which ratios to the rate of `other` window and hop last as long.

        Each `n_fft` is off by up to one sample of its own rate, each `hop_length` by half of one:
        ``(n - 1) / (n_other + 1) <= ratio <= (n + 1) / (n_other - 1)``.
        """
        if self.window != other.window or not _keeps_shape(self.window):
            return np.inf, 0.0
        lengths = (self.n_fft, other.n_fft, 1), (self.hop_length, other.hop_length, 0.5)
        return (
            max((own - error) / (others + error) for own, others, error in lengths),
            min((own + error) / (others - error) for own, others, error in lengths),
        )


@lru_cache(maxsize=64)
def _keeps_shape(window):
    """Return whether the shape of a window does not depend on its length."""
    return np.allclose(get_window(window, 1024)[::2], get_window(window, 512), atol=0.02)


@lru_cache(maxsize=64)
def _build_transform(n_fft, hop_length, window):
    settings = f"An STFT with n_fft={n_fft}, hop_length={hop_length}, window={window!r}"
    try:
        shape = get_window(window, n_fft)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise ValueError(
            f"{settings} has no such window. Take one of scipy.signal.get_window, such as 'hann', "
            f"or ('kaiser', 8.6) where the window has a parameter. ({error})"
        ) from error
    transform = ShortTimeFFT(shape, hop_length, fs=1.0, mfft=n_fft, phase_shift=None)
    try:
        peak = float(np.max(np.abs(transform.dual_win)))
    except ValueError as error:
        raise ValueError(
            f"{settings} has no inverse: no frame covers some samples. Take a smaller hop_length "
            "(n_fft // 2 suits most windows)."
        ) from error
    if peak > MAX_DUAL_WINDOW:
        raise ValueError(
            f"{settings} has no stable inverse: its dual window reaches {peak:.3g}, which makes "
            f"rounding errors audible; at most {MAX_DUAL_WINDOW:g} is accepted. Take a smaller "
            "hop_length or a window that does not fall to zero."
        )
    return transform
