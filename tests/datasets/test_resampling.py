import pickle

import numpy as np
import pytest

from sksvs.audio import ArrayWaveform, Sources, resample
from sksvs.datasets import resample_tracks
from tests.strategies import seeded_noise

NAMES = ("vocals", "accompaniment")


def make_tracks(rates, n_channels=2):
    X, y = [], []
    for i, rate in enumerate(rates):
        sources = seeded_noise((2, 3000, n_channels), i, 0.1)
        X.append(ArrayWaveform(sources.sum(axis=0), rate, f"song {i}"))
        y.append(Sources([ArrayWaveform(s, rate, f"song {i}") for s in sources], NAMES))
    return X, y


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_tracks_are_resampled_under_their_names(rate):
    X, y = make_tracks([8000, 44100])
    resampled = resample_tracks(X, y, rate)
    for x, track, given, sources in zip(*resampled, X, y):
        assert (x.sample_rate, track.sample_rate) == (rate, rate)
        assert (x.name, track.name, track.source_names) == (given.name, given.name, NAMES)
        expected = resample(given[:], given.sample_rate, rate)
        assert x.shape == track.shape[1:] == expected.shape
        np.testing.assert_allclose(x[100:200], expected[100:200], atol=1e-5)
        np.testing.assert_allclose(x[:], np.asarray(track).sum(axis=0), atol=1e-5)
        for source, own in zip(sources, track):
            np.testing.assert_allclose(
                own[:], resample(source[:], given.sample_rate, rate), atol=1e-5
            )


def test_what_has_the_rate_stays_as_it_is_and_nothing_changes_the_lists():
    X, y = make_tracks([8000, 16000])
    resampled, sources = resample_tracks(X, y, 16000)
    assert (resampled[1], sources[1]) == (X[1], y[1])
    assert [x.sample_rate for x in X] == [8000, 16000]
    again = pickle.loads(pickle.dumps(resampled[0]))
    np.testing.assert_array_equal(again[:], resampled[0][:])


def test_a_rate_must_be_known_and_positive():
    X, y = make_tracks([None])
    with pytest.raises(ValueError, match="song 0 has no known sample rate, so it cannot be"):
        resample_tracks(X, y, 16000)
    with pytest.raises(ValueError, match="sample_rate must be positive, in Hz; got 0"):
        resample_tracks(X, y, 0)
