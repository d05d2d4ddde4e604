import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform, Sources
from sksvs.datasets import split_tracks
from tests.strategies import seeded_noise


@given(n_samples=st.integers(2, 300), fraction=st.floats(0.2, 0.8), stereo=st.booleans())
def test_the_parts_together_are_the_track(n_samples, fraction, stereo):
    sources = seeded_noise((2, n_samples, 2) if stereo else (2, n_samples), seed=n_samples)
    mixture = sources.sum(axis=0)
    cut = round(fraction * n_samples)
    if not 0 < cut < n_samples:
        return
    first, second, y_first, y_second = split_tracks([mixture], [sources], fraction)
    assert len(first[0]) == cut
    np.testing.assert_array_equal(np.concatenate([first[0][:], second[0][:]]), mixture)
    parts = [np.asarray(y_first[0]), np.asarray(y_second[0])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), sources)


def test_the_parts_keep_the_names_of_the_sources():
    x = ArrayWaveform(np.ones((10, 2)))
    parts = split_tracks([x.to_mono()], [Sources([x, x.gain(0.0)], ("vocals", "rest"))])
    assert [part[0].source_names for part in parts[2:]] == [("vocals", "rest")] * 2


@pytest.mark.parametrize("rates", [(16000, 44100), (16000, None, 44100)])
def test_tracks_of_several_sample_rates_are_cut_in_time(rates):
    X = [ArrayWaveform(np.arange(float(rate or 100)), rate) for rate in rates]
    y = [Sources([x, x.gain(0.0)]) for x in X]
    first, second, y_first, y_second = split_tracks(X, y, 0.25)
    for part, share in ((first, 0.25), (second, 0.75), (y_first, 0.25), (y_second, 0.75)):
        assert [p.sample_rate for p in part] == list(rates)
        assert [p.shape[-1] for p in part] == [share * len(x) for x in X]
    np.testing.assert_array_equal(second[-1][:3], [11025, 11026, 11027])


def test_a_track_and_its_sources_have_one_rate():
    slow, fast = (ArrayWaveform(np.ones(10), rate, f"{rate}.wav") for rate in (16000, 44100))
    with pytest.raises(ValueError, match=r"16000\.wav has a .* 16000 Hz, but 44100\.wav"):
        split_tracks([fast], [[slow, slow]])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1, np.nan])
def test_a_part_must_be_left_on_either_side(fraction):
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
        split_tracks([np.ones(10)], [np.ones((2, 10))], fraction)


def test_a_track_that_is_too_short_is_named():
    with pytest.raises(ValueError, match=r"X\[1\] has 1 sample\(s\), too few to be cut"):
        split_tracks([np.ones(10), np.ones(1)], [np.ones((2, 10)), np.ones((2, 1))])
