"""Between spectrograms and the network: levels, inputs, targets, masks.

This is the one place where the frequency-first arrays of the library, ``(..., n_freqs,
n_frames)``, become the network's ``(n_frames, features)``, and back.
"""

import numpy as np

from sksvs.waveform import energy


def track_level(spectrogram):
    """Return the RMS of a track's channel mean over its whole length; 1 for a silent track.

    Spectra are divided by it, so that a louder copy of a song has the same masks.
    """
    waveform = spectrogram.waveform.to_mono()
    return float(np.sqrt(energy(waveform) / waveform.n_samples)) or 1.0


def network_input(frames, level, input_power):
    """Return what the network sees: ``(|X| / level)^input_power``, before standardisation.

    Parameters
    ----------
    frames : array of complex64, shape (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)
        With channels, X is their mean.
    level : float or array of float, shape (n_frames,)
        Of the whole track, or as it is known at each frame.
    input_power : float

    Returns
    -------
    array of float32, shape (n_frames, n_freqs)
    """
    level = np.asarray(level, np.float32)[..., np.newaxis]
    if frames.ndim == 3:  # the sum of the channels over so much the level
        level, frames = level * np.float32(len(frames)), sum(frames[1:], frames[0])
    magnitudes = np.abs(frames.T)
    magnitudes /= level
    return magnitudes if input_power == 1 else magnitudes ** np.float32(input_power)


def network_target(frames, sources, rule, level, n_masks, on_masks):
    """Return what the loss compares the network's output with.

    Parameters
    ----------
    frames : array of complex64, shape (n_freqs, n_frames)
        Of the mixture.
    sources : array of float32, shape (n_sources, n_freqs, n_frames)
        Magnitudes.
    rule : callable
        From these to masks of the same shape.
    level : float
    n_masks : int
        How many masks the network learns.
    on_masks : bool
        Whether the loss compares masks or magnitudes.

    Returns
    -------
    array of float32, shape (n_frames, n_values)
        The `n_masks` masks side by side, or the magnitudes of the mixture and of every source
        side by side, over `level`.
    """
    parts = rule(sources)[:n_masks] if on_masks else [np.abs(frames), *sources]
    n_freqs, n_frames = frames.shape
    target = np.empty((n_frames, len(parts) * n_freqs), np.float32)
    for i, part in enumerate(parts):
        target[:, i * n_freqs : (i + 1) * n_freqs] = part.T
    if not on_masks:
        target /= np.float32(level)
    return target


def masks_from_output(output, n_sources):
    """Return the masks of all sources from what the network gives for one track.

    With two sources the network's one mask M₀ is clipped to [0, 1] and the other is 1 - M₀; with
    more, the masks are divided by their sum, as in the loss, and are equal where all are zero.

    Parameters
    ----------
    output : array of float32, shape (n_frames, n_masks * n_freqs)
    n_sources : int

    Returns
    -------
    masks : array of float32, shape (n_sources, n_freqs, n_frames)
        In [0, 1]; they sum to one over the sources.
    """
    masks = np.empty(
        (n_sources, len(output), output.shape[1] // count_masks(n_sources)), np.float32
    )
    if n_sources == 2:
        np.clip(output, 0, 1, out=masks[0])
        np.subtract(1, masks[0], out=masks[1])
    else:
        np.maximum(output.reshape(len(output), n_sources, -1).swapaxes(0, 1), 0, out=masks)
        masks[:, ~masks.any(axis=0)] = 1
        masks /= masks.sum(axis=0)
    return masks.swapaxes(1, 2)


def count_masks(n_sources):
    """Return how many masks the network learns: M₀ for two sources, else one a source."""
    return 1 if n_sources == 2 else n_sources
