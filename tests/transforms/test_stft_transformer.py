import pickle

import numpy as np
import pytest
from hypothesis import given
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sksvs.audio import AudioFile
from sksvs.spectrogram import Spectrogram, STFTParams
from sksvs.transforms import MonoDownmix, STFTTransformer
from sksvs.waveform import ArrayWaveform
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
    assert x.target is None


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
