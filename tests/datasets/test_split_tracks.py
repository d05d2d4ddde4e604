import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1, np.nan])
def test_a_part_must_be_left_on_either_side(fraction):
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
        split_tracks([np.ones(10)], [np.ones((2, 10))], fraction)


def test_a_track_that_is_too_short_is_named():
    with pytest.raises(ValueError, match=r"X\[1\] has 1 sample\(s\), too few to be cut"):
        split_tracks([np.ones(10), np.ones(1)], [np.ones((2, 10)), np.ones((2, 1))])
