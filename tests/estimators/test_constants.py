"""A constant is no sound: it has no part in levels, masks and voices, whatever separates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.augmentation import Augmentation
from sksvs.estimators import (
    IdealMaskOracle,
    MixtureBaseline,
    StreamingSeparator,
    VotingSeparator,
)
from sksvs.networks.features import network_input
from sksvs.prediction import masks
from sksvs.stft import Spectrogram
from tests.strategies import centred_noise, seeded_noise, tiny_tracks
from tests.tiny_separators import analysed, three_sources, tiny_crn, tiny_separator

CONSTANTS = st.sampled_from([0.05, -0.5, 20.0])


def close(actual, expected, peak):
    """Assert equality within 1e-5 of the peak."""
    np.testing.assert_allclose(actual, expected, atol=1e-5 * peak)


def constants(constant, shape):
    """Return a constant for every channel, each another."""
    return constant * np.linspace(1, -0.5, shape[1]) if len(shape) == 2 else constant


shapes = st.tuples(st.integers(2, 3000)) | st.tuples(st.integers(2, 3000), st.integers(1, 3))


@settings(max_examples=15)
@given(shape=shapes, constant=CONSTANTS)
def test_a_constant_goes_to_the_last_source_and_changes_no_other_and_no_mask(
    fitted, shape, constant
):
    song = seeded_noise(shape, seed=sum(shape), scale=0.1)
    added = constants(constant, shape)
    X = analysed([song, song + added])
    expected, found = fitted.predict(X)
    peak = np.abs(song + added).max()
    close(found[:-1], expected[:-1], peak)
    close(found[-1], expected[-1] + added, peak)
    close(found.sum(axis=0), song + added, peak)
    masks = fitted.predict_mask(X)
    np.testing.assert_allclose(masks[1], masks[0], atol=1e-5)
    blocks = np.concatenate(list(fitted.iter_blocks(X[1:])), axis=1)
    np.testing.assert_array_equal(blocks, found)


@settings(max_examples=15)
@given(gain=st.sampled_from([1e-6, 0.3, 1e4]), constant=CONSTANTS)
def test_a_gain_of_a_song_with_a_constant_is_a_gain_of_its_estimates(fitted, gain, constant):
    song = seeded_noise((2000, 2), seed=1, scale=0.1) + [constant, 0]
    (expected,), (louder,) = (fitted.predict(analysed([g * song])) for g in (1, gain))
    close(louder, gain * expected, gain * np.abs(song).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (500,), (500, 2)])
def test_a_constant_track_has_a_silent_voice(fitted, dtype, shape):
    track = np.full(shape, 0.3, dtype)
    (estimates,) = fitted.predict(analysed([track]))
    np.testing.assert_allclose(estimates[:-1], 0, atol=1e-12)
    np.testing.assert_allclose(estimates[-1], track, rtol=1e-6)
    assert np.isfinite(fitted.predict_mask(analysed([track]))[0]).all()


@pytest.mark.parametrize("scale", [1e-46, 1e-39, 1e-30, 1e29])
def test_the_softest_and_the_loudest_samples_give_finite_estimates_that_add_up(fitted, scale):
    song = scale * seeded_noise(2000, seed=2)
    (estimates,) = fitted.predict(analysed([song]))
    assert np.isfinite(estimates).all()
    close(estimates.sum(axis=0), song, np.abs(song).max() + 1e-37)


def test_transpositions_and_votes_agree(tracks):
    members = [("gru", tiny_separator(max_iter=1)), ("crn", tiny_crn(max_iter=1))]
    voting = VotingSeparator(members, (0.9, 1.0, 1.1)).fit(*analysed(*tracks))
    song = tracks[0][0]
    expected, found = voting.predict(analysed([song, song + 0.2]))
    close(found, expected + np.array([[0.0], [0.2]]), 1)


def test_an_oracle_and_the_mixture_agree():
    X, y = tiny_tracks(1, n_channels=2)
    Z, z = [X[0] + 0.2], [y[0] + np.array([0.05, 0.15])[:, np.newaxis, np.newaxis]]
    oracle = IdealMaskOracle().fit(analysed(X), y)
    (expected,), (found,) = (
        oracle.predict(analysed(X), sources=y),
        oracle.predict(analysed(Z), sources=z),
    )
    close(found, expected + np.array([0, 0.2])[:, np.newaxis, np.newaxis], 1)
    close(found.sum(axis=0), Z[0], 1)
    (unprocessed,) = MixtureBaseline().fit(analysed(Z), z).predict(analysed(Z))
    close(unprocessed, np.stack([Z[0], Z[0]]), 1)


def test_a_constant_changes_no_score(fitted, tracks):
    X, y = tracks
    y = three_sources(y) if fitted.n_sources_ == 3 else y
    added = np.zeros((fitted.n_sources_, 1))
    added[-1] = 0.2
    with_constants = [x + 0.2 for x in X], [s + added for s in y]
    expected, found = fitted.score(analysed(X), y), fitted.score(analysed(with_constants[0]), y)
    assert found.sdr == pytest.approx(expected.sdr, abs=0.02)
    found = fitted.score(analysed(with_constants[0]), with_constants[1])
    assert found.sdr == pytest.approx(expected.sdr, abs=0.1)


@pytest.mark.parametrize("augmentation", [None, Augmentation(6.0, 0.5, 0.5, 0.1, 0.5)])
def test_songs_with_constants_teach_what_they_teach_without(augmentation):
    X, y = tiny_tracks(3, n_channels=2)
    Z = [x + [0.3, -0.2] for x in X]
    z = [s + np.array([0.1, 0.2])[:, np.newaxis, np.newaxis] * [1.0, -2 / 3] for s in y]
    separator = tiny_separator(loss="magnitude_absolute_error", augmentation=augmentation)
    weights = [separator.fit(*analysed(*pair)).weights_ for pair in ((X, y), (Z, z))]
    for name, expected in weights[0].items():
        np.testing.assert_allclose(weights[1][name], expected, atol=1e-4)


class Counted(ArrayWaveform):
    """Samples that count how often each is read."""

    def __init__(self, samples):
        super().__init__(samples)
        self.n_read = 0

    def _read(self, start, stop):
        self.n_read += stop - start
        return super()._read(start, stop)


def test_a_song_is_read_once_to_measure_it_and_once_to_separate_it(fitted):
    counted = Counted(seeded_noise((20_000, 2), seed=3))
    (x,) = analysed([counted])
    fitted.predict([x])
    overlaps = 32 * -(-x.n_frames // 256) * 2
    assert 40_000 <= counted.n_read <= 40_000 + overlaps


def test_songs_that_are_learnt_from_are_measured_once(tracks):
    X, y = tracks
    mixtures = [Counted(x) for x in X]
    sources = [[Counted(samples) for samples in track] for track in y]
    tiny_separator(max_iter=2).fit(*analysed(mixtures, sources))
    for waveform in (*mixtures, *(source for track in sources for source in track)):
        n_samples = waveform.n_samples  # to measure, and to analyse what is then kept
        assert 2 * n_samples <= waveform.n_read <= 2.05 * n_samples + 64


def test_a_stream_does_not_know_its_constant_beforehand_but_its_level_has_no_part_of_it(
    tracks, monkeypatch
):
    forwards = tiny_separator(max_iter=1, bidirectional=False).fit(*analysed(*tracks))
    song, levels = centred_noise(6000, seed=4, scale=0.1), []

    def spy(frames, level, *others):
        levels.append(level)
        return network_input(frames, level, *others)

    monkeypatch.setattr(masks, "network_input", spy)

    def separate(samples, level=None):
        stream = StreamingSeparator(forwards, level)
        blocks = [stream.process(samples[:777]), stream.process(samples[777:]), stream.flush()]
        return np.concatenate(blocks, axis=1)

    (expected,) = forwards.predict(analysed([song]))
    close(separate(song, level=song.std()), expected, 1)
    assert np.abs(separate(song + 0.3, level=song.std())[0] - expected[0]).max() > 0.01
    levels.clear()
    for samples in (song, song + 0.3):
        separate(samples)
    of_song, with_constant = np.split(np.concatenate(levels), 2)
    np.testing.assert_allclose(with_constant, of_song, rtol=1e-5)
    assert of_song[-1] == pytest.approx(song.std(), rel=1e-6)
    assert of_song[9] == pytest.approx(song[: 10 * 32].std(), rel=1e-6)


def test_a_spectrogram_that_was_given_is_left_as_it_is(fitted):
    waveform = ArrayWaveform(seeded_noise(500, seed=5) + 1)
    x = Spectrogram(waveform, fitted.stft_params_)
    fitted.predict([x])
    assert x.waveform is waveform
