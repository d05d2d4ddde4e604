"""Losses on waveforms: the inverse STFT in TensorFlow, and what compares its results."""

import tensorflow as tf

INAUDIBLE = 1e-3  # of the energy of all sources of a segment, -30 dB: such a source does not count
NEGLIGIBLE = 1e-8  # of the energy of a source, -80 dB: added, so that no ratio is infinite
TINY = 1e-20  # so that nothing is divided by zero
LOWEST_POWER = 1e-7  # of a bin, before its logarithm; as in the code of Yamamoto et al.
RESOLUTIONS = (1024, 600, 120), (2048, 1200, 240), (512, 240, 50)  # FFT, window, hop in samples


def n_complete(n_frames, params):
    """Return the number of samples that only these frames overlap; 0 or less where all are few."""
    return (n_frames + 1) * params.hop_length - params.n_fft


def inverse_stft(spectra, params):
    """Return the samples of successive frames, without those that other frames overlap, too.

    Parameters
    ----------
    spectra : tensor of complex64, shape (..., n_frames, n_freqs)
    params : STFTParams

    Returns
    -------
    tensor of float32, shape (..., (n_frames + 1) * hop_length - n_fft)
        From the first sample of the first frame that the frames before it do not overlap.
    """
    n_fft, hop_length = params.n_fft, params.hop_length
    pieces = tf.signal.irfft(spectra, [n_fft]) * params.transform.dual_win.astype("float32")
    samples = tf.signal.overlap_and_add(pieces, hop_length)
    edge = n_fft - hop_length
    return samples[..., edge : tf.shape(samples)[-1] - edge]


def si_sdr(estimates, sources):
    """Return the negative scale-invariant SDR in dB, the mean over the sources of a segment.

    ``-10 log10(‖a s‖² / ‖e - a s‖²)`` with ``a = <e, s> / ‖s‖²`` (Le Roux et al. 2019, eq. 4). A
    source that is silent in a segment, below -30 dB of all sources together, does not count.

    Parameters
    ----------
    estimates, sources : tensor of float32, shape (batch, n_sources, n_samples)

    Returns
    -------
    tensor of float32, shape (batch,)
    """
    energies = _energies(sources)
    gains = tf.reduce_sum(estimates * sources, axis=-1) / (energies + TINY)
    targets = gains[..., tf.newaxis] * sources
    least = NEGLIGIBLE * energies + TINY
    ratios = (_energies(estimates - targets) + least) / (_energies(targets) + least)
    return _mean_of_audible(tf.math.log(ratios) * (10 / tf.math.log(10.0)), energies)


def multi_resolution_stft(estimates, sources):
    """Return the multi-resolution STFT loss, the mean over the sources of a segment.

    At each of three resolutions the spectral convergence ``‖|S| - |E|‖ / ‖|S|‖`` and the mean of
    ``|log|S| - log|E||``; the sum of the mean of both over the resolutions (Yamamoto et al. 2020,
    eq. 3 to 6 and table 1). A source that is silent in a segment does not count, as in `si_sdr`.

    Parameters
    ----------
    estimates, sources : tensor of float32, shape (batch, n_sources, n_samples)
        At least 1200 samples.

    Returns
    -------
    tensor of float32, shape (batch,)
    """
    longest = max(window for _, window, _ in RESOLUTIONS)
    if (sources.shape[-1] or longest) < longest:  # not known in every graph
        raise ValueError(
            f"loss='multi_resolution_stft' needs segments of {longest} samples; got "
            f"{sources.shape[-1]}. Take a larger segment_frames, or longer tracks."
        )
    total = 0.0
    for n_fft, window, hop_length in RESOLUTIONS:
        own, others = (_magnitudes(x, n_fft, window, hop_length) for x in (sources, estimates))
        squares = tf.reduce_sum(tf.square(own - others), axis=(-2, -1))
        convergence = tf.sqrt((squares + TINY) / tf.reduce_sum(tf.square(own), axis=(-2, -1)))
        logarithms = tf.abs(tf.math.log(own) - tf.math.log(others))
        total += convergence + tf.reduce_mean(logarithms, axis=(-2, -1))
    return _mean_of_audible(total / len(RESOLUTIONS), _energies(sources))


WAVEFORM_LOSSES = {"si_sdr": si_sdr, "multi_resolution_stft": multi_resolution_stft}


def _energies(signals):
    return tf.reduce_sum(tf.square(signals), axis=-1)


def _mean_of_audible(values, energies):
    """Return the mean over the sources that can be heard: (batch, n_sources) to (batch,)."""
    least = INAUDIBLE * tf.reduce_sum(energies, axis=-1, keepdims=True)
    audible = tf.cast(energies > least, values.dtype)
    count = tf.maximum(tf.reduce_sum(audible, axis=-1), 1.0)
    return tf.reduce_sum(audible * values, axis=-1) / count


def _magnitudes(signals, n_fft, window, hop_length):
    spectra = tf.signal.stft(signals, window, hop_length, n_fft)
    powers = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    return tf.sqrt(tf.maximum(powers, LOWEST_POWER))
