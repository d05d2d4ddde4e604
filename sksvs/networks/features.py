"""Turn spectra into inputs of the network and its outputs into masks.

This is the one place where the frequency-first arrays of the library, ``(..., n_freqs,
n_frames)``, become the network's ``(n_frames, features)``, and back; and where the bins of a song
at another sample rate become those of the network, and back.
"""

from functools import lru_cache

import numpy as np

# Where a resampler's filter begins and ends to fall, as shares of the Nyquist frequency.
TRANSITION = 0.92, 0.99


def to_model_bins(spectra, params, model):
    """Convert spectra of a song to the bins of the network, at the network's sample rate.

    With a window and a hop of the same duration, bin k has the same frequency at both rates. A
    window of more samples sums up more of them, so bins are scaled. Of a song at a higher rate,
    bins above the network's Nyquist frequency are dropped, and those just below it are attenuated
    as by the low-pass filter of a resampler, since training data at the network's rate have passed
    such a filter. Bins that a song at a lower rate lacks are silent.

    Parameters
    ----------
    spectra : array, shape (..., n_freqs, n_frames)
        Complex or magnitudes.
    params, model : STFTParams
        Of the song and of the network, which differ in the sample rate alone.

    Returns
    -------
    array, shape (..., model.n_freqs, n_frames)
        `spectra` themselves where the rates are the same.
    """
    if params.n_fft == model.n_fft:
        return spectra
    scaled = spectra[..., : model.n_freqs, :] * np.float32(model.n_fft / params.n_fft)
    missing = model.n_freqs - scaled.shape[-2]
    if params.n_freqs > model.n_freqs:
        scaled *= _low_pass(model.n_freqs)[:, np.newaxis]
    if missing == 0:
        return scaled
    return np.pad(scaled, [*[(0, 0)] * (spectra.ndim - 2), (0, missing), (0, 0)])


@lru_cache(maxsize=8)
def _low_pass(n_freqs):
    """Return the gain of a resampler per bin, up to the lower Nyquist frequency: (n_freqs,)."""
    place = np.interp(np.linspace(0, 1, n_freqs), TRANSITION, (0, 1))
    return (0.5 + 0.5 * np.cos(np.pi * place)).astype(np.float32)


def from_model_bins(masks, params, model):
    """Convert masks of the network to the bins of a song at any sample rate.

    Bins above the network's Nyquist frequency have, in every frame, the mean of the mask over its
    highest octave.

    Parameters
    ----------
    masks : array of float32, shape (n_sources, model.n_freqs, n_frames)
    params, model : STFTParams
        Of the song and of the network.

    Returns
    -------
    array of float32, shape (n_sources, params.n_freqs, n_frames)
        `masks` themselves where the rates are the same.
    """
    if params.n_freqs <= model.n_freqs:
        return masks[:, : params.n_freqs]
    by_frame = np.empty((len(masks), masks.shape[2], params.n_freqs), np.float32)
    by_frame[..., : model.n_freqs] = masks.swapaxes(1, 2)
    octave = by_frame[..., model.n_freqs // 2 : model.n_freqs]
    by_frame[..., model.n_freqs :] = octave.mean(axis=-1, keepdims=True)
    return by_frame.swapaxes(1, 2)


def network_input(frames, level, input_power):
    """Return the input of the network before standardisation: ``(|X| / level)^input_power``.

    Parameters
    ----------
    frames : array of complex64, shape (n_freqs, n_frames) or (n_channels, n_freqs, n_frames)
        With channels, X is their mean.
    level : float or array of float, shape (n_frames,)
        Of the whole track, or for each frame.
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


def masks_from_output(output, n_sources, n_freqs, others_weight=1.0):
    """Return the masks of all sources from the output of the network.

    One mask M₀ is clipped to [0, 1] and the second source's is 1 - M₀. More masks are joint ones:
    their absolute values are divided by their sum, and are equal where all are zero (Huang et
    al. 2014, eq. 6 and 7, where the outputs are magnitudes of the sources).

    Parameters
    ----------
    output : array of float32, shape (n_frames, n_masks * n_freqs)
    n_sources, n_freqs : int
    others_weight : float
        Weight of all masks but the first, see :func:`weigh_masks`.

    Returns
    -------
    masks : array of float32, shape (n_sources, n_freqs, n_frames)
        In [0, 1]; they sum to one over the sources.
    """
    masks = np.empty((n_sources, len(output), n_freqs), np.float32)
    if output.shape[1] == n_freqs:
        np.clip(output, 0, 1, out=masks[0])
        np.subtract(1, masks[0], out=masks[1])
    else:
        np.abs(output.reshape(len(output), n_sources, n_freqs).swapaxes(0, 1), out=masks)
        masks[:, ~masks.any(axis=0)] = 1
        masks /= masks.sum(axis=0)
    return weigh_masks(masks, others_weight).swapaxes(1, 2)


def weigh_masks(masks, others_weight):
    """Multiply all masks but the first by a weight, in place, and normalise their sum to one.

    Parameters
    ----------
    masks : array of float32, shape (n_sources, ...)
        They sum to one over the sources.
    others_weight : float

    Returns
    -------
    array of float32
        The same array.
    """
    if others_weight != 1:
        masks[1:] *= np.float32(others_weight)
        masks /= masks.sum(axis=0)
    return masks
