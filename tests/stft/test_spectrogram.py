import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram, Synthesis, Target
from tests.strategies import seeded_noise, stft_settings, waveforms


def spectrogram_of(samples, settings=(64, 32, "hamming")):
    return Spectrogram(ArrayWaveform(samples), STFTParams(*settings))


def peak(samples):
    return np.abs(samples).max()


@given(samples=waveforms(), settings=stft_settings())
def test_the_round_trip_restores_every_sample_of_any_length(samples, settings):
    spectrogram = spectrogram_of(samples, settings)
    restored = spectrogram.istft(spectrogram.stft)
    assert restored.shape == samples.shape
    np.testing.assert_allclose(restored, samples, atol=1e-5 * peak(samples))


@given(samples=waveforms(), settings=stft_settings())
def test_facts_are_those_of_the_computed_array(samples, settings):
    spectrogram = spectrogram_of(samples, settings)
    stft = spectrogram.stft
    assert stft.dtype == np.complex64
    assert spectrogram.shape == stft.shape == np.asarray(spectrogram).shape
    assert stft.shape[-2:] == (spectrogram.n_freqs, spectrogram.n_frames)
    assert spectrogram.ndim == stft.ndim == samples.ndim + 1


@given(samples=waveforms(), settings=stft_settings(), length=st.integers(1, 20))
def test_blocks_are_the_frames_of_the_whole_and_add_up_to_it(samples, settings, length):
    spectrogram = spectrogram_of(samples, settings)
    whole = spectrogram.stft
    for start, frames in spectrogram.blocks(length):
        expected = whole[..., start : start + length]
        np.testing.assert_allclose(frames, expected, atol=1e-5 * peak(whole))


@given(samples=waveforms(), settings=stft_settings(), length=st.integers(1, 20))
def test_samples_of_blocks_are_the_waveform_and_synthesis_restores_each(samples, settings, length):
    spectrogram = spectrogram_of(samples, settings)
    synthesis = Synthesis(spectrogram.params)
    blocks = [spectrogram.read_block(*r) for r in spectrogram.block_ranges(length)]
    read = np.concatenate([block.samples for block in blocks], axis=-1)
    np.testing.assert_array_equal(read.T, samples.astype(np.float32))
    for block in blocks:
        restored = synthesis.push(block.frames, block.samples.shape[-1])
        np.testing.assert_allclose(restored, block.samples, atol=1e-5 * peak(samples))


@pytest.mark.parametrize("settings", [(64, 32, "hamming"), (64, 16, "hann"), (63, 20, "cosine")])
def test_frames_are_those_of_scipy(settings):
    samples = seeded_noise(1000, seed=3)
    params = STFTParams(*settings)
    expected = params.transform.stft(samples)
    np.testing.assert_allclose(spectrogram_of(samples, settings).stft, expected, atol=1e-4)


def test_a_sine_has_its_energy_at_its_frequency():
    samples = np.sin(2 * np.pi * 8 / 64 * np.arange(2000))
    magnitudes = np.abs(spectrogram_of(samples).stft[:, 5:-5])
    assert (magnitudes.argmax(axis=0) == 8).all()
    # The window's sum over two, as a sine is half of each of two exponentials.
    np.testing.assert_allclose(magnitudes[8], 0.54 * 64 / 2, rtol=1e-3)


def test_frames_outside_the_track_are_silent():
    spectrogram = spectrogram_of(seeded_noise(500, seed=1))
    n_frames = spectrogram.n_frames
    frames = spectrogram.frames(-5, n_frames + 5)
    assert not frames[:, :5].any()
    assert not frames[:, -5:].any()
    np.testing.assert_allclose(frames[:, 5:-5], spectrogram.stft, atol=1e-5)
    assert spectrogram.frames(3, 3).shape == (33, 0)


def test_a_range_of_frames_reads_only_the_samples_that_it_sees():
    class Recorder(ArrayWaveform):
        def _read(self, start, stop):
            reads.append((start, stop))
            return super()._read(start, stop)

    reads = []
    Spectrogram(Recorder(np.ones(100_000)), STFTParams(64, 32)).frames(100, 104)
    assert reads == [(100 * 32 - 32, 103 * 32 + 32)]


def test_mono_is_the_spectrogram_of_the_channel_mean():
    samples = seeded_noise((500, 2), seed=2)
    spectrogram = spectrogram_of(samples)
    mono = spectrogram.to_mono()
    np.testing.assert_allclose(mono.stft, spectrogram.stft.mean(axis=0), atol=1e-5)
    assert mono.to_mono() is mono


def test_a_spectrogram_pickles_without_frames_and_cannot_be_changed():
    spectrogram = spectrogram_of(np.zeros(10))
    assert not spectrogram.stft.any()
    assert len(pickle.dumps(spectrogram)) < 1000
    with pytest.raises(AttributeError):
        spectrogram.target = 1


def test_a_target_gives_masks_and_magnitudes_of_a_range():
    parts = [spectrogram_of(seeded_noise(500, seed)) for seed in (1, 2)]
    target = Target(tuple(parts), rule=lambda magnitudes: magnitudes / magnitudes.sum(axis=0))
    magnitudes = target.magnitudes(2, 7)
    assert (target.n_sources, magnitudes.shape, magnitudes.dtype) == (2, (2, 33, 5), np.float32)
    np.testing.assert_allclose(magnitudes[1], np.abs(parts[1].stft[:, 2:7]), atol=1e-5)
    np.testing.assert_allclose(target.masks(2, 7), magnitudes / magnitudes.sum(axis=0))


def test_an_stft_of_another_shape_is_not_inverted():
    spectrogram = spectrogram_of(np.ones(500))
    with pytest.raises(ValueError, match=r"must have shape \(33, 17\).* got \(33, 4\)"):
        spectrogram.istft(spectrogram.frames(0, 4))
