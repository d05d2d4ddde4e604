import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.datasets import make_singing_mixtures
from sksvs.datasets.singing_voice import glottal_pulses


@settings(max_examples=15)
@given(
    duration=st.sampled_from([0.0002, 0.01, 0.3, 1.5]),
    sample_rate=st.sampled_from([8000, 16000, 44100]),
    n_channels=st.sampled_from([1, 2]),
    seed=st.integers(0, 1000),
)
def test_mixtures_are_finite_and_the_sums_of_their_sources(duration, sample_rate, n_channels, seed):
    X, y = make_singing_mixtures(2, duration, sample_rate, n_channels, random_state=seed)
    shape = (round(duration * sample_rate),) + ((2,) if n_channels == 2 else ())
    for x, sources in zip(X, y):
        assert x.shape == shape
        assert sources.shape == (2, *shape)
        assert x.dtype == sources.dtype == np.float32
        assert np.isfinite(sources).all()
        np.testing.assert_array_equal(x, sources.sum(axis=0))
        assert np.abs(x).max() <= 0.8 + 1e-6


def test_the_same_seed_gives_the_same_songs_and_every_song_is_another():
    X, _ = make_singing_mixtures(3, 1.0, 8000, random_state=0)
    again, _ = make_singing_mixtures(3, 1.0, 8000, random_state=0)
    more, _ = make_singing_mixtures(5, 1.0, 8000, random_state=0)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(X, more[:3])
    assert np.abs(np.corrcoef(X)[np.triu_indices(3, 1)]).max() < 0.5


def test_the_stems_are_the_same_songs_cut_into_more_parts():
    stems = ("drums", "vocals", "other", "bass")
    X, y = make_singing_mixtures(2, 1.0, 8000, 2, random_state=0)
    X_four, y_four = make_singing_mixtures(2, 1.0, 8000, 2, random_state=0, sources=stems)
    _, y_three = make_singing_mixtures(
        2, 1.0, 8000, 2, random_state=0, sources=("bass", "accompaniment", "vocals")
    )
    for x, two, x_four, four, three in zip(X, y, X_four, y_four, y_three):
        np.testing.assert_array_equal(x_four, four.sum(axis=0))
        np.testing.assert_allclose(x_four, x, atol=1e-6)
        np.testing.assert_array_equal(four[1], two[0])
        np.testing.assert_allclose(four[[0, 2, 3]].sum(axis=0), two[1], atol=1e-6)
        np.testing.assert_allclose(three[1], four[0] + four[2], atol=1e-6)


def test_the_voice_sings_and_rests_at_about_the_level_of_the_music():
    _, y = make_singing_mixtures(6, 8.0, 8000, random_state=1)
    for voice, music in y:
        loud = np.sqrt(np.mean(voice.reshape(-1, 400) ** 2, axis=1))
        resting = loud < 0.01 * loud.max()
        assert 0.02 < resting.mean() < 0.7
        balance = 10 * np.log10(np.sum(voice**2) / np.sum(music**2))
        assert -8 < balance < 6


def test_the_pulses_have_the_pitch_that_is_asked_for():
    pulses = glottal_pulses(np.full(8000, 200.0), 8000)
    spectrum = np.abs(np.fft.rfft(pulses))
    assert np.argmax(spectrum[50:300]) + 50 == 200
    harmonics = spectrum[200:1001:200]
    assert (harmonics > 20 * np.median(spectrum)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_tracks": 0}, "n_tracks must be an integer of at least 1; got 0"),
        ({"duration": 0.0}, r"duration must be positive, one sample at least; got 0\.0"),
        ({"sample_rate": 16}, "a whole number of Hz, at least 4000; got 16"),
        ({"n_channels": 3}, "n_channels must be 1 or 2; got 3"),
        ({"sources": ("vocals", "bass")}, "for those that are left; got .'vocals', 'bass'."),
        ({"sources": ("vocals", "flute", "accompaniment")}, "each once"),
        ({"sources": ("vocals", "vocals", "accompaniment")}, "each once"),
        ({"sources": ("vocals", "bass", "drums", "other", "accompaniment")}, "each once"),
    ],
)
def test_impossible_songs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_singing_mixtures(**arguments)
