"""The inverse STFT of a segment restores its samples; losses are the published scores of them."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sksvs.metrics import si_sdr
from sksvs.stft import STFTParams
from sksvs.stft.spectrogram import Synthesis, analyse
from sksvs.training import waveform_losses
from sksvs.training.waveform_losses import inverse_stft, n_complete
from tests.strategies import seeded_noise, stft_settings


@given(settings=stft_settings(), n_frames=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_inverse_stft_is_that_of_predictions_and_restores_samples(settings, n_frames, seed):
    params = STFTParams(*settings)
    n = n_complete(n_frames, params)
    if n < 1:
        return
    samples = seeded_noise((2, (n_frames - 1) * params.hop_length + params.n_fft), seed)
    samples = samples.astype(np.float32)
    frames = analyse(samples, params)
    restored = inverse_stft(tf.constant(np.swapaxes(frames, 1, 2)), params).numpy()
    edge = params.n_fft - params.hop_length
    np.testing.assert_allclose(restored, samples[:, edge : edge + n], atol=1e-5)
    masked = frames * seeded_noise(frames.shape, seed + 1).astype(np.float32)
    ours = Synthesis(params)
    ours._position = 0  # the frames before it are no part of the segment
    ours = ours.push(masked, samples.shape[1])[:, edge : edge + n]
    found = inverse_stft(tf.constant(np.swapaxes(masked, 1, 2)), params).numpy()
    np.testing.assert_allclose(found, ours, atol=1e-5 * max(1, np.abs(ours).max()))


def waveforms(seed=0, n_samples=2500):
    sources, errors = seeded_noise((2, 3, 2, n_samples), seed)
    return (sources + 0.4 * errors).astype(np.float32), sources.astype(np.float32)


def test_si_sdr_is_the_metric():
    estimates, sources = waveforms()
    found = waveform_losses.si_sdr(tf.constant(estimates), tf.constant(sources)).numpy()
    scores = [si_sdr(*pair).mean() for pair in zip(sources, estimates)]
    np.testing.assert_allclose(found, np.negative(scores), atol=1e-4)


def test_multi_resolution_stft_is_zero_for_the_truth_and_knows_the_gain():
    _, sources = waveforms()
    for gain in (1.0, 0.5, 2.0):
        loss = waveform_losses.multi_resolution_stft(gain * tf.constant(sources), sources).numpy()
        np.testing.assert_allclose(loss, abs(1 - gain) + abs(np.log(gain)), atol=1e-5)


def test_multi_resolution_stft_is_the_formula_of_the_paper():
    estimates, sources = waveforms()
    expected = []
    for n_fft, window, hop in waveform_losses.RESOLUTIONS:
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)  # periodic
        own, others = (
            np.abs(
                np.fft.rfft(
                    np.lib.stride_tricks.sliding_window_view(x, window, axis=-1)[..., ::hop, :]
                    * hann,
                    n_fft,
                )
            )
            for x in (sources, estimates)
        )
        norms = [np.linalg.norm(x, axis=(-2, -1)) for x in (own - others, own)]
        expected.append(norms[0] / norms[1] + np.abs(np.log(own / others)).mean(axis=(-2, -1)))
    found = waveform_losses.multi_resolution_stft(tf.constant(estimates), tf.constant(sources))
    np.testing.assert_allclose(found, np.mean(expected, axis=(0, 2)), rtol=1e-3)


@pytest.mark.parametrize("name", waveform_losses.WAVEFORM_LOSSES)
def test_a_silent_source_does_not_count_and_silence_has_no_loss(name):
    estimates, sources = waveforms()
    loss = waveform_losses.WAVEFORM_LOSSES[name]
    silent = sources * np.array([[1], [0]], np.float32)
    np.testing.assert_allclose(
        loss(estimates, silent), loss(estimates[:, :1], silent[:, :1]), rtol=1e-5
    )
    np.testing.assert_array_equal(loss(estimates, 0 * sources), np.zeros(3))
    with tf.GradientTape() as tape:
        given = tf.constant(0 * estimates)
        tape.watch(given)
        total = loss(given, silent)
    assert np.isfinite(tape.gradient(total, given)).all()


def test_segments_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="needs segments of 1200 samples; got 1199. Take a larger"):
        waveform_losses.multi_resolution_stft(*waveforms(n_samples=1199))
