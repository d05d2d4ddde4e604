"""Bins at other sample rates become those of the network, and its output becomes masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.networks.features import from_model_bins, masks_from_output, to_model_bins
from sksvs.stft import Spectrogram, STFTParams
from tests.strategies import seeded_noise

MODEL = STFTParams(128, 64, "cosine", 8000)


def sine(sample_rate, frequency):
    samples = np.sin(2 * np.pi * frequency * np.arange(sample_rate // 4) / sample_rate)
    params = MODEL.at_rate(sample_rate)
    return Spectrogram(ArrayWaveform(samples, sample_rate), params)


@given(sample_rate=st.integers(6000, 50_000), frequency=st.integers(300, 2500))
def test_a_tone_has_the_same_bin_and_magnitude_at_any_rate(sample_rate, frequency):
    seen = [
        np.abs(to_model_bins(x.stft, x.params, MODEL))[:, 10]
        for x in (sine(8000, frequency), sine(sample_rate, frequency))
    ]
    assert seen[1].shape == (MODEL.n_freqs,)
    assert abs(seen[1].argmax() - seen[0].argmax()) <= 1
    # The window is off by up to one sample of 96 or more.
    assert np.linalg.norm(seen[1]) == pytest.approx(np.linalg.norm(seen[0]), rel=0.02)


def test_just_below_its_nyquist_frequency_the_network_sees_what_a_resampler_leaves():
    spectra = np.ones((MODEL.at_rate(44100).n_freqs, 2))
    gains = to_model_bins(spectra, MODEL.at_rate(44100), MODEL)[:, 0] * 706 / 128
    np.testing.assert_allclose(gains[:59], 1, rtol=1e-6)  # 3.6 kHz
    assert (np.diff(gains[58:64]) < 0).all()
    np.testing.assert_allclose(gains[64], 0, atol=1e-6)


def test_what_a_song_lacks_is_silence():
    params = MODEL.at_rate(4000)
    spectra = seeded_noise((2, params.n_freqs, 5), seed=0)
    seen = to_model_bins(spectra, params, MODEL)
    assert seen.shape == (2, MODEL.n_freqs, 5)
    np.testing.assert_allclose(seen[:, : params.n_freqs], 2 * spectra, rtol=1e-6)
    assert not seen[:, params.n_freqs :].any()


def test_at_the_rate_of_the_network_nothing_is_changed_or_copied():
    spectra = np.ones((MODEL.n_freqs, 3))
    assert to_model_bins(spectra, MODEL, MODEL) is spectra
    assert np.shares_memory(from_model_bins(spectra[np.newaxis], MODEL, MODEL), spectra)


@given(n_sources=st.integers(2, 4), n_frames=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_above_the_network_there_is_the_mean_of_its_highest_octave(n_sources, n_frames, seed):
    params = MODEL.at_rate(22050)
    masks = np.random.default_rng(seed).random((n_sources, MODEL.n_freqs, n_frames), np.float32)
    masks /= masks.sum(axis=0)
    extended = from_model_bins(masks, params, MODEL)
    assert extended.shape == (n_sources, params.n_freqs, n_frames)
    assert extended.dtype == np.float32
    np.testing.assert_array_equal(extended[:, : MODEL.n_freqs], masks)
    for frame in range(n_frames):  # 2 to 4 kHz
        above = extended[:, MODEL.n_freqs :, frame]
        expected = masks[:, 32:65, frame].mean(axis=1)
        np.testing.assert_allclose(above, np.tile(expected[:, None], above.shape[1]), atol=1e-6)
    np.testing.assert_allclose(extended.sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("value", [0, 1])
def test_masks_at_their_limits_stay_there(value):
    masks = np.full((1, MODEL.n_freqs, 4), value, np.float32)
    assert (from_model_bins(masks, MODEL.at_rate(44100), MODEL) == value).all()


def test_masks_of_a_song_of_a_lower_rate_are_cut_off():
    masks = seeded_noise((2, MODEL.n_freqs, 3), seed=1)
    np.testing.assert_array_equal(from_model_bins(masks, MODEL.at_rate(4000), MODEL), masks[:, :33])


@pytest.mark.parametrize("n_masks", [1, 2, 3])
def test_weights_of_the_other_sources_keep_the_sum_and_the_shares_among_them(n_masks):
    n_sources = max(2, n_masks)
    output = np.abs(seeded_noise((6, n_masks * 4), seed=n_masks)).astype(np.float32)
    plain = masks_from_output(output, n_sources, 4)
    weighted = masks_from_output(output, n_sources, 4, others_weight=3.0)
    np.testing.assert_allclose(weighted.sum(axis=0), 1, atol=1e-6)
    expected = plain[0] / (plain[0] + 3 * (1 - plain[0]))
    np.testing.assert_allclose(weighted[0], expected, atol=1e-6)
    others = plain[1:] / np.maximum(plain[1:].sum(axis=0), 1e-9)
    np.testing.assert_allclose(weighted[1:], (1 - weighted[0]) * others, atol=1e-6)
