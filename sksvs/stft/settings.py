"""The settings of a short-time Fourier transform: window, hop and sample rate."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import ShortTimeFFT, get_window

from sksvs.parameters import MAX_WINDOW, check_range

LARGEST_DUAL_WINDOW = 10.0
MOST_WORK = 1 << 28  # samples that are added up to find an inverse


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
        check_range(self, "n_fft", "hop_length", "window", "sample_rate")
        if self.n_fft**2 > MOST_WORK * self.hop_length:
            raise ValueError(
                f"An STFT with n_fft={self.n_fft}, hop_length={self.hop_length} takes too long. "
                "Take a larger hop_length."
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

    def first_sample(self, frame):
        """Return the number of the first sample that a frame sees; negative before the track."""
        transform = self.transform
        return int((frame + transform.p_min) * transform.hop - transform.m_num_mid)

    def at_rate(self, sample_rate):
        """Return the analysis at another sample rate whose window and hop last as long.

        `n_fft` becomes the nearest even number, `hop_length` the nearest whole one. So bin k is
        at the same frequency as here, but for the rounding (1024 at 16 kHz is 2822 at 44.1 kHz in
        place of 2822.4: 0.01 %), and there are more bins or fewer, up to the other Nyquist
        frequency.

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
            If the own sample rate is not known, the window has another shape at another length
            (as "gaussian", whose width is in samples), nothing usable is left of it, it would have
            more than 1,048,576 samples, or its hops would be so small that the inverse takes long
            to find.

        Examples
        --------
        >>> STFTParams(1024, 512, "cosine", 16000).at_rate(44100)
        STFTParams(n_fft=2822, hop_length=1411, window='cosine', sample_rate=44100)
        """
        if sample_rate == self.sample_rate:
            return self
        if self.sample_rate is None:
            raise ValueError(
                f"An STFT has as long a window at {sample_rate} Hz only if its own sample rate is "
                "known. Give STFTTransformer(sample_rate=...)."
            )
        if not _keeps_shape(self.window):
            raise ValueError(
                f"window={self.window!r} has another shape where it has more samples, so it is "
                f"not to be had at {sample_rate} Hz as at {self.sample_rate} Hz. Take 'hann', "
                "'cosine' or ('kaiser', 8.6), or resample with sksvs.audio.resample."
            )
        ratio = sample_rate / self.sample_rate
        window, hop = self.n_fft * ratio, self.hop_length * ratio
        usable = window <= MAX_WINDOW and window * window <= MOST_WORK * hop
        if not usable or round(window / 2) < 1 or round(hop) < 1:
            raise ValueError(
                f"A window of {self.n_fft} samples and a hop of {self.hop_length} at "
                f"{self.sample_rate} Hz would have {window:.6g} and {hop:.6g} samples at "
                f"{sample_rate} Hz. A window can have 2 to {MAX_WINDOW}, a hop 1 or more, and "
                f"the square of the window can be at most {MOST_WORK} times the hop."
            )
        return STFTParams(2 * round(window / 2), round(hop), self.window, sample_rate)

    def differs_from(self, other):
        """Say in words what differs from `other`; None where nothing does.

        An unknown sample rate matches any. Where both are known and differ, nothing does if
        the window and the hop last as long, within rounding: see :meth:`at_rate`.
        """
        if self.is_at_another_rate(other):
            return None
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

    def can_be(self, other):
        """Return whether there is a sample rate at which nothing differs from `other`.

        That is the own one where it is known; otherwise that of some song.
        """
        if self.differs_from(other) is None:
            return True
        known = other.sample_rate is not None and self.sample_rate is None
        if not known or self.window != other.window or not _keeps_shape(self.window):
            return False
        # What `is_at_another_rate` allows, solved for the ratio of the two rates.
        return max(
            (self.n_fft - 1) / (other.n_fft + 1), (self.hop_length - 0.5) / (other.hop_length + 0.5)
        ) <= min(
            (self.n_fft + 1) / (other.n_fft - 1), (self.hop_length + 0.5) / (other.hop_length - 0.5)
        )

    def is_at_another_rate(self, other):
        """Return whether this is the analysis `other` at another sample rate, both known."""
        rates = self.sample_rate, other.sample_rate
        if None in rates or self.window != other.window or not _keeps_shape(self.window):
            return False
        # Each n_fft is off by up to one sample of its own rate, each hop_length by half of one.
        rounding = (1 / rates[0] + 1 / rates[1]) * (1 + 1e-9)
        windows, hops = (
            abs(getattr(self, name) / rates[0] - getattr(other, name) / rates[1])
            for name in ("n_fft", "hop_length")
        )
        return rates[0] != rates[1] and windows <= rounding and hops <= rounding / 2


@lru_cache(maxsize=64)
def _keeps_shape(window):
    """Return whether a window of more samples has the same shape."""
    return np.allclose(get_window(window, 1024)[::2], get_window(window, 512), atol=0.02)


@lru_cache(maxsize=64)
def _build_transform(n_fft, hop_length, window):
    settings = f"An STFT with n_fft={n_fft}, hop_length={hop_length}, window={window!r}"
    try:
        shape = get_window(window, n_fft)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
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
