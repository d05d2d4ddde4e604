import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, AudioFile
from sksvs.stft import Spectrogram, STFTParams
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import stft_settings, waveforms


@given(samples=waveforms(), settings=stft_settings())
def test_the_inverse_restores_every_track(samples, settings):
    n_fft, hop_length, window = settings
    stft = STFTTransformer(n_fft=n_fft, hop_length=hop_length, window=window)
    before = samples.copy()
    (restored,) = stft.inverse_transform(stft.fit_transform([samples]))
    np.testing.assert_allclose(restored, samples, atol=1e-5 * np.abs(samples).max())
    np.testing.assert_array_equal(samples, before)


def test_a_spectrogram_knows_its_settings_and_rate():
    (x,) = STFTTransformer(256, 64, "hann").transform([ArrayWaveform(np.ones(999), 8000)])
    assert isinstance(x, Spectrogram)
    assert x.params == STFTParams(256, 64, "hann", 8000)
    assert x.mask_rule is None


def test_it_needs_no_fit_alone_or_in_a_pipeline():
    pipe = clone(make_pipeline(MonoDownmix(), STFTTransformer()))
    assert pipe.transform([np.ones((2000, 2))])[0].ndim == 2


def test_real_songs_survive_the_round_trip_and_weigh_nothing(dsd100_root):
    tracks = [AudioFile(path) for path in sorted(dsd100_root.rglob("Dev/*/mixture.wav"))]
    stft = STFTTransformer()
    spectrograms = stft.fit_transform(tracks)
    assert len(pickle.dumps(spectrograms)) < 3000
    for track, restored in zip(tracks, stft.inverse_transform(spectrograms)):
        np.testing.assert_allclose(restored, track[:], atol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_fft": 0}, "n_fft must be an integer"),
        ({"hop_length": 2000}, "has no inverse"),
        ({"window": "hann", "hop_length": 1000}, "no stable inverse"),
    ],
)
def test_settings_are_checked_in_fit_and_transform_not_in_the_constructor(parameters, message):
    stft = STFTTransformer(**parameters)
    for method in (stft.fit, stft.transform):
        with pytest.raises(ValueError, match=message):
            method([np.ones(3000)])


def test_only_spectrograms_are_inverted():
    with pytest.raises(TypeError, match=r"X\[0\] must be a Spectrogram; got ndarray"):
        STFTTransformer().inverse_transform([np.ones(10)])


@given(samples=waveforms(), settings=stft_settings(), rate=st.integers(4000, 50_000))
def test_the_inverse_restores_every_track_at_any_rate(samples, settings, rate):
    stft = STFTTransformer(*settings, sample_rate=8000, array_rate=8000)
    try:
        stft.transform([ArrayWaveform(np.ones(1), rate)])
    except ValueError:
        assume(False)  # a window of few samples that is none, or has no inverse, at half the rate
    tracks = [ArrayWaveform(samples, rate), samples]
    for restored in stft.inverse_transform(stft.transform(tracks)):
        np.testing.assert_allclose(restored, samples, atol=1e-5 * np.abs(samples).max())


def test_with_a_rate_every_track_is_analysed_at_its_own():
    tracks = [np.ones(999), ArrayWaveform(np.ones(999), 44100), ArrayWaveform(np.ones(999))]
    params = STFTParams(256, 64, "hann", 16000)
    stft = STFTTransformer(256, 64, "hann", sample_rate=16000)
    expected = [params, STFTParams(706, 176, "hann", 44100), params]
    X = stft.fit_transform(tracks)
    assert [x.params for x in X] == expected
    assert [x.waveform.sample_rate for x in X] == [16000, 44100, 16000]


def test_the_rate_that_arrays_are_taken_to_have_is_said_once_a_call_unless_it_was_given():
    tracks = [np.ones(99), ArrayWaveform(np.ones(99), 44100), ArrayWaveform(np.ones(99), None, "b")]
    stft = STFTTransformer(256, 64, sample_rate=16000)
    stft.fit(tracks)  # without a warning, as all that follows
    told = STFTTransformer(256, 64, sample_rate=16000, array_rate=16000)
    for transformed in (stft.fit_transform(tracks), told.fit_transform(tracks)):
        assert len(transformed) == 3
    told.transform(tracks)
    stft.transform(tracks[1:2])
    STFTTransformer(256, 64).transform(tracks)
    text = (
        r"^X\[0\] \(and 1 more\) has no known sample rate and is assumed to be at 16000 Hz\. "
        r"Give its rate: ArrayWaveform\(samples, rate\), STFTTransformer\(array_rate=...\) or"
    )
    with pytest.warns(UserWarning, match=text) as caught:
        warned = stft.transform(tracks)
    assert len(caught) == 1
    assert [x.params for x in warned] == [x.params for x in stft.fit_transform(tracks)]
    with pytest.warns(UserWarning, match="^b has no known"):
        stft.transform(tracks[2:])


def test_arrays_have_the_rate_that_they_are_said_to_have():
    tracks = [np.ones(999), ArrayWaveform(np.ones(999), 44100)]
    stft = STFTTransformer(256, 128, sample_rate=16000, array_rate=48000)
    assert [x.params.sample_rate for x in stft.transform(tracks)] == [48000, 44100]
    assert [x.params.n_fft for x in stft.transform(tracks)] == [768, 706]
    (alone,) = STFTTransformer(256, 128, array_rate=48000).transform(tracks[:1])
    assert alone.params == STFTParams(256, 128, "hamming", 48000)


def test_an_unknown_rate_matches_any():
    tracks = [ArrayWaveform(np.ones(999), rate) for rate in (8000, None, 8000)]
    X = STFTTransformer(256, 128).transform(tracks)
    assert [x.params.sample_rate for x in X] == [8000, None, 8000]


@pytest.mark.parametrize("array_rate", [None, 8000])
def test_without_a_rate_tracks_of_two_are_refused(array_rate):
    two = [ArrayWaveform(np.ones(999), rate, f"{rate}.wav") for rate in (16000, 44100)]
    stft = STFTTransformer(array_rate=array_rate)
    for method in (stft.fit, stft.transform):
        with pytest.raises(
            ValueError,
            match="44100.wav has a sample rate of 44100 Hz, but 16000.wav has 16000 Hz. Resample "
            r"with sksvs.audio.resample, or .* STFTTransformer\(sample_rate=...\)",
        ):
            method(two)
    with pytest.raises(ValueError, match="16000.wav has a sample rate of 16000 Hz, but X.0. has"):
        STFTTransformer(array_rate=8000).transform([np.ones(9), two[0]])


@pytest.mark.parametrize("name", ["sample_rate", "array_rate"])
@pytest.mark.parametrize("value", [0, -1, "44100", float("nan")])
def test_a_rate_is_a_number_of_hertz(name, value):
    with pytest.raises(ValueError, match=f"STFTTransformer: {name} must be a rate in Hz"):
        STFTTransformer(**{name: value}).fit([np.ones(9)])
    with pytest.raises(ValueError, match=name):  # as a model that is loaded is checked
        STFTTransformer(**{name: value})._check_parameters()


def test_a_track_whose_rate_gives_no_window_is_named():
    tracks = [ArrayWaveform(np.ones(999), rate, f"{rate}.wav") for rate in (16000, 5)]
    with pytest.raises(ValueError, match=r"^5\.wav: A window of 256 .* at 5 Hz"):
        STFTTransformer(256, 128, sample_rate=16000).transform(tracks)
