"""Channels that the downmix cancels are separated one by one, with a warning."""

import copy
import tracemalloc

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, AudioFile, Waveform, read, write
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import bss_eval_sources
from sksvs.separation import separate_file
from sksvs.stft import Spectrogram
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, centred_noise, seeded_noise
from tests.tiny_separators import analysed, three_sources

WARNING = r"its channels cancel each other in their mean, so each of them is separated by itself"
SILENT = "cancel each other .* is almost silent. Leave MonoDownmix out of the pipeline"


@pytest.fixture(scope="module")
def song(tracks):
    return tracks[0][0]


def of_channels(fitted, channels):
    """Return the estimates of the channels as tracks of their own, side by side."""
    return np.stack(fitted.predict(analysed(list(channels))), axis=-1)


def test_opposite_channels_have_the_voice_of_the_song(fitted, song):
    opposite = np.stack([song + 0.1, -song], axis=1)
    with pytest.warns(UserWarning, match=rf"X\[0\]: {WARNING}") as caught:
        (estimates,) = fitted.predict(analysed([opposite]))
    assert len(caught) == 1
    (expected,) = fitted.predict(analysed([song]))
    np.testing.assert_allclose(estimates[0], np.stack([expected[0], -expected[0]], 1), atol=1e-4)
    np.testing.assert_allclose(estimates.sum(axis=0), opposite, atol=1e-5)


def test_three_channels_that_cancel_are_three_tracks(fitted, tracks):
    one, other = tracks[0][:2]
    channels = [one, other, -one - other]
    x = analysed([np.stack(channels, axis=1)])
    with pytest.warns(UserWarning, match=WARNING):
        (estimates,) = fitted.predict(x)
    np.testing.assert_allclose(estimates, of_channels(fitted, channels), atol=1e-5)
    with pytest.warns(UserWarning, match=WARNING):
        (masks,) = fitted.predict_mask(x)
    assert masks.shape == (fitted.n_sources_, *x[0].shape)
    for i, expected in enumerate(fitted.predict_mask(analysed(channels))):
        np.testing.assert_allclose(masks[:, i], expected, atol=1e-5)


def test_ordinary_stereo_is_separated_without_a_warning(fitted, song):
    for other in (song, 0 * song, -0.9 * song, seeded_noise(len(song), seed=0)):
        fitted.predict(analysed([np.stack([song, other], axis=1)]))


def test_blocks_are_what_predict_gives(fitted):
    noise = seeded_noise(40_000, seed=1)
    x = analysed([np.stack([noise, -noise], axis=1)])
    with pytest.warns(UserWarning, match=WARNING):
        (expected,) = fitted.predict(x)
    with pytest.warns(UserWarning, match=WARNING):
        blocks = list(fitted.iter_blocks(x))
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected)


class Opposite(Waveform):
    """Opposite channels of any length that are made when they are read."""

    sample_rate, name = None, "opposite"

    def __init__(self, n_samples):
        self.shape = (n_samples, 2)
        self.n_read = 0

    def _read(self, start, stop):
        self.n_read += stop - start
        noise = seeded_noise(stop - start, seed=start, scale=0.1).astype(np.float32)
        return np.stack([noise, -noise], axis=1)


def test_memory_stays_constant_and_every_channel_is_read_once_more(fitted):
    peaks = []
    for n_samples in (600_000, 1_800_000):
        waveform = Opposite(n_samples)
        blocks = fitted.iter_blocks([Spectrogram(waveform, fitted.stft_params_)])
        tracemalloc.start()
        with pytest.warns(UserWarning, match=f"opposite: {WARNING}"):
            assert sum(block.shape[1] for block in blocks) == n_samples
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert waveform.n_read < 3.01 * n_samples
    assert peaks[1] < 1.3 * peaks[0]


def test_the_score_is_that_of_the_downmix_of_what_is_predicted(fitted, tracks):
    (x, _, _), y = tracks[0], tracks[1][:1]
    y = three_sources(y) if fitted.n_sources_ == 3 else y
    gains = np.array([1.0, -0.98])
    with pytest.warns(UserWarning, match=WARNING):
        score = fitted.score(analysed([x[:, np.newaxis] * gains]), [y[0][..., np.newaxis] * gains])
    expected = fitted.score(analysed([x]), y)
    assert score.sdr == pytest.approx(expected.sdr, abs=0.01)


def test_an_oracle_takes_the_masks_of_every_channel_from_the_same_of_the_sources(tracks):
    X, y = tracks
    opposite = [np.stack([x, -x], axis=1) for x in X]
    sources = [np.stack([s, -s], axis=-1) for s in y]
    oracle = IdealMaskOracle().fit(analysed(opposite), sources)
    with pytest.warns(UserWarning, match=WARNING):
        estimates = oracle.predict(analysed(opposite), sources=sources)
    for found, expected in zip(estimates, oracle.predict(analysed(X), sources=y)):
        np.testing.assert_allclose(found, np.stack([expected, -expected], axis=-1), atol=1e-5)


@pytest.mark.parametrize("as_waveform", [False, True])
def test_of_a_downmix_alone_silence_is_left_and_the_remedy_is_named(fitted, song, as_waveform):
    opposite = np.stack([song, -song], axis=1)
    pipeline = make_pipeline(MonoDownmix(), STFTTransformer(64, 32), fitted)
    track = ArrayWaveform(opposite, None, "a song") if as_waveform else opposite
    name = "a song" if as_waveform else r"X\[0\]"
    with pytest.warns(UserWarning, match=f"{name}: its channels {SILENT}") as caught:
        (estimates,) = pipeline.predict([track])
    assert len(caught) == 1
    np.testing.assert_allclose(estimates, np.zeros((fitted.n_sources_, len(song))), atol=1e-12)


@pytest.mark.parametrize("first", [[], [MonoDownmix()]])
def test_a_file_of_opposite_channels_has_stems_whatever_the_pipeline_begins_with(
    fitted, tmp_path, first
):
    noise = centred_noise(20_000, seed=2, scale=0.1).astype(np.float32)
    path = tmp_path / "song.wav"
    write(path, np.stack([noise, -noise], axis=1), SAMPLE_RATE, "FLOAT")
    pipeline = make_pipeline(*first, STFTTransformer(64, 32), fitted)
    names = [str(i) for i in range(fitted.n_sources_)]
    with pytest.warns(UserWarning, match=rf"song\.wav: {WARNING}") as caught:
        stems = separate_file(pipeline, path, tmp_path / "out", source_names=names)
    assert len(caught) == 1
    estimates = np.stack([read(stem)[0] for stem in stems])
    np.testing.assert_allclose(estimates, of_channels(fitted, [noise, -noise]), atol=1e-5)
    np.testing.assert_allclose(estimates.sum(axis=0), AudioFile(path)[:], atol=1e-6)


def test_side_weight_lowers_the_voice_outside_the_centre(fitted, tracks):
    centred, beside = tracks[0][:2]
    stereo = np.stack([centred + beside, centred], axis=1)
    x = analysed([stereo - stereo.mean(axis=0)])
    (before,), (plain,) = fitted.predict(x), fitted.predict_mask(x)
    weighted = clone_with_weights(fitted, side_weight=1.0)
    (estimates,), (masks,) = weighted.predict(x), weighted.predict_mask(x)
    frames = x[0].stft
    mid, side = (np.square(np.abs(s)) for s in (frames[0] + frames[1], frames[0] - frames[1]))
    np.testing.assert_allclose(masks[0], plain[0] * mid / (mid + side), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(estimates.sum(axis=0), x[0].waveform[:], atol=1e-5)
    difference = (e[0][:, 0] - e[0][:, 1] for e in (estimates, before))
    assert np.less(*(np.sum(np.square(d)) for d in difference))


@pytest.mark.parametrize("channels", [1, 3])
def test_side_weight_leaves_all_but_stereo_as_it_is(fitted, tracks, channels):
    samples = tracks[0][0] if channels == 1 else np.stack([*tracks[0][:2], tracks[0][0]], axis=1)
    weighted = clone_with_weights(fitted, side_weight=1.0)
    pairs = zip(weighted.predict(analysed([samples])), fitted.predict(analysed([samples])))
    for estimates, expected in pairs:
        np.testing.assert_array_equal(estimates, expected)


def test_score_is_that_of_the_estimates_with_side_weight(fitted, tracks):
    X, y = tracks
    y = three_sources(y) if fitted.n_sources_ == 3 else y
    stereo = np.stack([X[0], X[0][::-1]], axis=1)
    sources = np.stack([y[0], y[0][:, ::-1]], axis=-1)
    weighted = clone_with_weights(fitted, side_weight=2.0)
    x = analysed([stereo])
    expected = bss_eval_sources(sources.mean(axis=-1), weighted.predict(x)[0].mean(axis=-1))
    assert weighted.score(x, [sources]).sdr == pytest.approx(expected.sdr[0], abs=1e-3)


def clone_with_weights(separator, **parameters):
    """Return a copy of a fitted separator with other parameters of prediction."""
    return copy.copy(separator).set_params(**parameters)
