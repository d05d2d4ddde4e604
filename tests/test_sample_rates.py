"""A separator fitted at one sample rate separates songs of any, on their own time grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, AudioFile, Sources, resample, write
from sksvs.augmentation import Augmentation
from sksvs.datasets import load_dsd100
from sksvs.estimators import IdealMaskOracle, MixtureBaseline, StreamingSeparator
from sksvs.metrics import bss_eval_sources, evaluate
from sksvs.separation import separate_file
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, centred_noise, seeded_noise, tiny_tracks
from tests.tiny_separators import tiny_separator

RATES = [5512, 6000, 11025, 22050, 44100, 48000]
STFT = {"n_fft": 256, "hop_length": 128, "window": "cosine"}  # 32 ms at 8 kHz


def make(last=None, first=(), **stft):
    last = tiny_separator(bidirectional=False, max_iter=10) if last is None else last
    stft.setdefault("array_rate", stft.get("sample_rate"))  # without it arrays make a warning
    return make_pipeline(*first, STFTTransformer(**STFT, **stft), last)


def at_rate(samples, rate, name="song"):
    """Return samples of 8 kHz as a song of another rate."""
    return ArrayWaveform(resample(samples, SAMPLE_RATE, rate), rate, name)


def below(samples, frequency):
    """Return samples without what is above a frequency in Hz."""
    low = resample(samples, SAMPLE_RATE, 2 * frequency)
    return fitted_to(resample(low, 2 * frequency, SAMPLE_RATE), len(samples))


def fitted_to(samples, n_samples):
    return np.pad(samples, (0, max(0, n_samples - len(samples))))[:n_samples]


def agreement(estimate, reference):
    """Return in dB how small the difference of two signals is."""
    return 10 * np.log10(np.sum(reference**2) / np.sum((estimate - reference) ** 2))


@pytest.fixture(scope="module")
def songs():
    X, y = tiny_tracks(3, duration=2.0)
    return X, y


@pytest.fixture(scope="module", params=["forwards", "both ways"])
def pipeline(request, songs):
    last = tiny_separator(bidirectional=request.param == "both ways", max_iter=10)
    return make(last, sample_rate=SAMPLE_RATE).fit(*songs)


@pytest.fixture(scope="module")
def forwards(songs):
    return make(sample_rate=SAMPLE_RATE).fit(*songs)


def test_at_its_own_rate_a_separator_gives_what_it_gives_without_any(songs, forwards):
    X, y = songs
    without = make().fit(X, y)
    assert without[-1].stft_params_.sample_rate is None
    for name, weights in without[-1].weights_.items():
        np.testing.assert_array_equal(forwards[-1].weights_[name], weights)
    for one, other in zip(without.predict(X), forwards.predict(X), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("rate", "least"), [(6000, 55), (11025, 30), (22050, 40), (44100, 40), (48000, 55)]
)
def test_a_resampled_song_has_the_estimates_of_the_song(pipeline, songs, rate, least):
    # Nothing near the Nyquist frequencies, where resampling changes what the network sees. What is
    # left is the rounding of window and hop: none at 6 and 48 kHz.
    song = below(songs[0][0], min(3500, rate // 2 - 500))
    (expected,) = pipeline.predict([song])
    (found,) = pipeline.predict([at_rate(song, rate)])
    for estimate, reference in zip(found, expected):
        back = fitted_to(resample(estimate, rate, SAMPLE_RATE), len(song))
        assert agreement(back, reference) > least


def test_what_is_above_the_network_changes_little_below(pipeline, songs):
    # The network sees what it would see of the resampled song, also near its Nyquist frequency.
    rate, song = 48000, resample(songs[0][0], SAMPLE_RATE, 48000)
    hiss = song + seeded_noise(len(song), seed=0, scale=song.std()).astype(np.float32)
    low = resample(hiss, rate, SAMPLE_RATE)
    (expected,) = pipeline.predict([low])
    (found,) = pipeline.predict([ArrayWaveform(hiss, rate)])
    for estimate, reference in zip(found, expected):
        back = fitted_to(resample(estimate, rate, SAMPLE_RATE), len(low))
        assert agreement(back, reference) > 30


@settings(max_examples=25)
@given(
    rate=st.sampled_from([*RATES, 7999, 16000]),
    n_samples=st.integers(1, 9000),
    n_channels=st.integers(0, 2),
)
def test_estimates_are_on_the_songs_own_grid_and_add_up(pipeline, rate, n_samples, n_channels):
    shape = (n_samples, n_channels) if n_channels else (n_samples,)
    song = ArrayWaveform(seeded_noise(shape, seed=n_samples, scale=0.1), rate)
    X = pipeline[:-1].transform([song])
    (estimates,), (masks,) = pipeline.predict([song]), pipeline[-1].predict_mask(X)
    assert estimates.shape == (2, *shape)
    np.testing.assert_allclose(estimates.sum(axis=0), song[:], atol=1e-6)
    assert masks.shape == (2, *X[0].shape[-2:])
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    assert masks.max() <= 1
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)


def test_songs_of_many_rates_in_one_list_are_what_each_is_alone(pipeline, songs):
    X = [songs[0][0], *(at_rate(songs[0][1], rate) for rate in RATES)]
    together = pipeline.predict(X)
    for x, estimates in zip(X, together, strict=True):
        np.testing.assert_array_equal(estimates, pipeline.predict([x])[0])


@pytest.mark.parametrize("rate", RATES)
def test_blocks_and_streams_are_what_predict_gives(pipeline, rate):
    samples = centred_noise((2 * rate, 2), seed=rate, scale=0.1)
    X = pipeline[:-1].transform([ArrayWaveform(samples, rate)])
    (whole,) = pipeline[-1].predict(X)
    blocks = np.concatenate(list(pipeline[-1].iter_blocks(X)), axis=1)
    np.testing.assert_array_equal(blocks, whole)
    if pipeline[-1].bidirectional:
        return
    level = np.sqrt(np.mean(samples.mean(axis=1) ** 2))
    stream = StreamingSeparator(pipeline, level, sample_rate=rate)
    assert stream.latency == X[0].params.n_fft - X[0].params.hop_length
    parts = [stream.process(block) for block in np.array_split(samples, 7)]
    estimates = np.concatenate([*parts, stream.flush()], axis=1)
    np.testing.assert_allclose(estimates, whole, atol=1e-5)


def test_an_array_has_the_rate_that_the_pipeline_is_told(forwards, songs):
    song = at_rate(songs[0][0], 44100)
    expected = forwards.predict([song])[0]
    told = clone(forwards)
    told.steps[-1] = forwards.steps[-1]  # which is fitted
    told.set_params(stfttransformer__array_rate=44100)
    np.testing.assert_array_equal(told.predict([song[:]])[0], expected)
    told.set_params(stfttransformer__array_rate=None)
    with pytest.warns(UserWarning, match=r"X\[0\] has no known sample rate .* at 8000 Hz"):
        (assumed,) = told.predict([song[:]])
    assert not np.allclose(assumed, expected, atol=1e-3)


def test_a_fitted_pipeline_takes_a_rate_if_it_knows_that_of_fit(songs, forwards):
    X, y = songs
    known = make().fit([ArrayWaveform(x, SAMPLE_RATE) for x in X], y)
    song = at_rate(X[0], 44100, "/music/song.flac")
    remedy = r"STFTTransformer\(sample_rate=8000\) takes songs of any .*sksvs.audio.resample"
    with pytest.raises(ValueError, match=f"/music/song.flac .* sample_rate=44100 .*{remedy}"):
        known.predict([song])
    known.set_params(stfttransformer__sample_rate=SAMPLE_RATE)
    np.testing.assert_array_equal(known.predict([song])[0], forwards.predict([song])[0])


def test_where_the_rate_of_fit_is_not_known_there_is_no_other(songs):
    unknown = make().fit(*songs).set_params(stfttransformer__sample_rate=SAMPLE_RATE)
    with pytest.warns(UserWarning, match=r"X\[0\] \(and 2 more\) has no known sample rate"):
        unknown.predict(songs[0])
    with pytest.raises(ValueError, match=r"not known. Fit with STFTTransformer\(sample_rate=...\)"):
        unknown.predict([at_rate(songs[0][0], 44100)])
    with pytest.raises(ValueError, match="only if their own sample rate is known"):
        StreamingSeparator(unknown, sample_rate=44100)


def test_another_analysis_is_refused_at_any_rate(forwards, songs):
    other = STFTTransformer(256, 64, "cosine", sample_rate=SAMPLE_RATE)
    with pytest.raises(ValueError, match="song was analysed with .*hop_length=353 instead of 128"):
        forwards[-1].predict(other.transform([at_rate(songs[0][0], 44100)]))


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_the_rate_of_a_stream_is_a_number_of_hertz(forwards, rate):
    with pytest.raises(ValueError, match="sample_rate must be positive and finite, or None"):
        StreamingSeparator(forwards, sample_rate=rate)


def test_files_keep_their_rate_and_channels(forwards, songs, tmp_path):
    stereo = np.stack([songs[0][0], 0.5 * songs[0][1]], axis=1)
    for rate in (6000, 44100):
        write(tmp_path / "song.wav", at_rate(stereo, rate), subtype="FLOAT")
        song = AudioFile(tmp_path / "song.wav")
        mono = make_pipeline(MonoDownmix(), *forwards)
        for pipe in (forwards, mono):
            stems = separate_file(pipe, song.path, tmp_path / f"stems {rate}")
            files = [AudioFile(stem) for stem in stems]
            assert [(file.shape, file.sample_rate) for file in files] == 2 * [(song.shape, rate)]
            np.testing.assert_allclose(files[0][:] + files[1][:], song[:], atol=1e-6)


def test_songs_are_scored_at_their_own_rates(forwards, songs):
    X, y = songs
    rates = [SAMPLE_RATE, 16000, 44100]
    X = [at_rate(x, rate, str(rate)) for x, rate in zip(X, rates)]
    y = [Sources([at_rate(s, rate) for s in sources]) for sources, rate in zip(y, rates)]
    score = forwards.score(X, y)
    for track, sources, estimates in zip(score.tracks, y, forwards.predict(X)):
        sdr = bss_eval_sources(np.asarray(sources), estimates).sdr
        np.testing.assert_allclose(track.sources["sdr"], sdr, atol=0.01)
    found = evaluate(forwards, X, y, mixture=True, oracle=IdealMaskOracle())
    assert found.scores["estimate"].sdr == pytest.approx(score.sdr, abs=1e-6)
    assert found.scores["oracle"].sdr > found.scores["mixture"].sdr + 3
    baseline = make(MixtureBaseline(), sample_rate=SAMPLE_RATE).fit(X, y)
    assert baseline.predict(X)[2].shape == (2, len(X[2]))


@pytest.mark.parametrize("loss", ["magnitude_absolute_error", "mask_absolute_error"])
def test_songs_of_several_rates_are_learnt_from_as_if_they_had_the_lowest(songs, loss):
    X, y = ([below(x, 3500) for x in songs[0]], [below(s.T, 3500).T for s in songs[1]])
    rates = [48000, SAMPLE_RATE, 16000]
    Z = [at_rate(x, rate) for x, rate in zip(X, rates)]
    z = [Sources([at_rate(s, rate) for s in sources]) for sources, rate in zip(y, rates)]
    separator = tiny_separator(loss=loss, early_stopping=True, validation_fraction=0.4)
    one = make(clone(separator), sample_rate=SAMPLE_RATE).fit(X, y)
    mixed = make(clone(separator), sample_rate=SAMPLE_RATE).fit(Z, z)
    uncached = make(clone(separator).set_params(cache_size=0), sample_rate=SAMPLE_RATE).fit(Z, z)
    assert mixed[-1].stft_params_ == one[-1].stft_params_
    np.testing.assert_allclose(mixed[-1].input_mean_, one[-1].input_mean_, rtol=0.01, atol=0.01)
    np.testing.assert_allclose(mixed[-1].loss_curve_, one[-1].loss_curve_, rtol=0.02)
    np.testing.assert_allclose(uncached[-1].loss_curve_, mixed[-1].loss_curve_, rtol=1e-5)
    expected, found = (pipe.predict(X[:1])[0] for pipe in (one, mixed))
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(X[0]).max())


def test_a_fit_goes_on_with_songs_of_another_rate(songs):
    X, y = ([below(x, 3500) for x in songs[0]], [below(s.T, 3500).T for s in songs[1]])
    Z = [at_rate(x, 48000) for x in X]
    z = [Sources([at_rate(s, 48000) for s in sources]) for sources in y]
    curves = []
    for more in ((X, y), (Z, z)):
        pipe = make(sample_rate=SAMPLE_RATE).fit(X, y)
        pipe[-1].partial_fit(pipe[:-1].fit_transform(more[0]), more[1])
        assert pipe[-1].stft_params_.sample_rate == SAMPLE_RATE
        curves.append(pipe[-1].loss_curve_)
    np.testing.assert_allclose(curves[1], curves[0], rtol=0.02)
    slower = pipe[:-1].transform([at_rate(below(x, 2500), 6000) for x in X[:1]])
    of_slower = [[at_rate(below(s, 2500), 6000) for s in y[0]]]
    assert np.isfinite(pipe[-1].partial_fit(slower, of_slower).loss_curve_).all()


def test_augmentation_needs_songs_of_one_rate(songs):
    X, y = songs
    Z = [X[0], at_rate(X[1], 16000, "fast")]
    z = [y[0], [at_rate(s, 16000) for s in y[1]]]
    pipe = make(tiny_separator(augmentation=Augmentation(remix=0.5)), sample_rate=SAMPLE_RATE)
    with pytest.raises(ValueError, match="fast has .* 16000 Hz, but the network has 8000 Hz"):
        pipe.fit(Z, z)
    slow, of_slow = at_rate(X[0], 6000, "slow"), [at_rate(s, 6000) for s in y[0]]
    pipe = make(tiny_separator(), sample_rate=SAMPLE_RATE).fit([slow], [of_slow])
    pipe[-1].set_params(augmentation=Augmentation(gain_db=3.0))
    with pytest.raises(ValueError, match="8000 Hz, but the network has 6000 Hz"):
        pipe[-1].partial_fit(pipe[:-1].fit_transform(X[:1]), y[:1])


def test_real_songs_are_separated_at_their_own_rate(forwards, dsd100_root):
    X, y = load_dsd100(dsd100_root, subset="dev", return_X_y=True)
    for x, estimates in zip(X, forwards.predict(X), strict=True):
        assert estimates.shape == (2, *x.shape)
        assert x.sample_rate == 44100
        np.testing.assert_allclose(estimates.sum(axis=0), x[:], atol=1e-6)
    assert np.isfinite(forwards.score(X, y))
