"""What a fit minimises: the loss as plain facts, and the targets it compares with."""

from typing import NamedTuple

import numpy as np

from sksvs.parameters import MAGNITUDE_LOSSES, MASK_LOSSES, SPECTRUM_LOSSES, WAVEFORM_LOSSES
from sksvs.stft.settings import STFTParams
from sksvs.training.own_loss import OwnLoss, WaveformLoss

SILENT = np.float32(1e-30)  # magnitude without a phase: with one of 1e-40 a division overflows


class Objective(NamedTuple):
    """A loss and what it compares, as plain values.

    Attributes
    ----------
    loss : str, SpectrumLoss or WaveformLoss
        "magnitude_absolute_error" or the like.
    n_sources : int
    n_masks : int
        Number of masks that the network outputs: 1, the first source's, or one a source.
    discriminative : float
        The γ of Huang et al. 2014, eq. 9: the weight of the error against the *other* sources,
        which is subtracted.
    error_floor : float
        What "segment_error_ratio" adds to the ratio before it takes the logarithm.
    params : STFTParams or None
        Of the network, for a loss on waveforms.
    """

    loss: str | OwnLoss
    n_sources: int
    n_masks: int
    discriminative: float = 0.0
    error_floor: float = 1e-3
    params: STFTParams | None = None

    @property
    def target(self):
        """What the loss needs: "masks", "magnitudes", "spectra" or "phases".

        For "spectra" phases are relative to the mixture's, for "phases" they are as they are.
        """
        if self.loss in MASK_LOSSES:
            return "masks"
        if self.loss in MAGNITUDE_LOSSES:
            return "magnitudes"
        return "spectra" if self.loss in SPECTRUM_LOSSES else "phases"

    @property
    def is_on_waveforms(self):
        """Whether the loss compares waveforms."""
        return self.loss in WAVEFORM_LOSSES or isinstance(self.loss, WaveformLoss)

    @property
    def n_compared(self):
        """Number of sources in the loss, from the first on.

        With one mask, the spectra of two sources that add up to the mixture have the same error
        with opposite signs. Where they do not add up, the first one counts.
        """
        return 1 if self.target == "spectra" and self.n_masks == 1 else self.n_sources

    @property
    def n_parts(self):
        """Number of arrays of n_freqs values in the target of a frame."""
        if self.target == "masks":
            return self.n_masks
        if self.target == "phases":
            return 2 * (1 + self.n_sources)
        return 1 + self.n_compared * (1 if self.target == "magnitudes" else 2)


def network_target(frames, sources, rule, level, objective):
    """Return the target that the loss compares with the network's output.

    Parameters
    ----------
    frames : array of complex64, shape (n_freqs, n_frames)
        Of the mixture.
    sources : array of complex64, shape (n_sources, n_freqs, n_frames)
    rule : callable
        From magnitudes to masks of the same shape.
    level : float
    objective : Objective

    Returns
    -------
    array of float32, shape (n_frames, n_parts * n_freqs)
        Side by side: the masks; or over `level` the magnitudes of the mixture and of every source;
        or over `level` the mixture's magnitudes and of every source that is compared the real and
        then the imaginary part, where all phases are relative to that of the mixture; or over
        `level` the real parts of the mixture and of every source, and then the imaginary ones.
    """
    if objective.target == "masks":
        parts = rule(np.abs(sources))[: objective.n_masks]
    elif objective.target == "magnitudes":
        parts = [np.abs(frames), *np.abs(sources)]
    elif objective.target == "phases":
        parts = [frames.real, *sources.real, frames.imag, *sources.imag]
    else:
        magnitudes = np.abs(frames)
        silent = magnitudes < SILENT
        phases = frames / np.where(silent, 1, magnitudes)
        phases[silent] = 1
        turned = sources[: objective.n_compared] * phases.conj()
        parts = [magnitudes, *turned.real, *turned.imag]
    n_freqs, n_frames = frames.shape
    target = np.empty((n_frames, len(parts) * n_freqs), np.float32)
    for i, part in enumerate(parts):
        target[:, i * n_freqs : (i + 1) * n_freqs] = part.T
    if objective.target != "masks":
        target /= np.float32(level)
    return target
