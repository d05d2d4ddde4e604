import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.training.validation_tracks import choose_validation_tracks as choose


def rng(seed=0):
    return np.random.RandomState(seed)


@given(n=st.integers(2, 60), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_a_fraction_is_held_out_and_both_sides_have_tracks(n, fraction, seed):
    held_out = choose(n, fraction, rng(seed))
    assert held_out.shape == (n,)
    assert 0 < held_out.sum() < n
    assert abs(held_out.sum() - fraction * n) <= 1


@given(
    groups=st.lists(st.sampled_from("abcde"), min_size=2, max_size=30).filter(
        lambda g: len(set(g)) > 1
    )
)
def test_groups_stay_whole(groups):
    held_out = choose(len(groups), 0.3, rng(), groups)
    outside = {g for g, out in zip(groups, held_out) if out}
    inside = {g for g, out in zip(groups, held_out) if not out}
    assert outside
    assert inside
    assert outside.isdisjoint(inside)


def test_the_users_own_choice_stands():
    np.testing.assert_array_equal(choose(3, 0.9, rng(), given=[True, False, True]), [1, 0, 1])


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        (
            {"n_tracks": 1},
            ValueError,
            "there is only one. Fit on more tracks; or cut .*split_tracks",
        ),
        ({"groups": ["a"] * 4}, ValueError, "all are of one group, 'a'"),
        ({"groups": ["a"]}, ValueError, "groups must have one item a track; got 1 for 4"),
        ({"given": [True]}, ValueError, "validation_tracks must have one item a track"),
        ({"given": [True] * 4}, ValueError, "leave some to train on; got 4 of 4"),
        ({"given": [False] * 4}, ValueError, "got 0 of 4 held out"),
        ({"given": [0, 1, 0, 1]}, TypeError, "must be booleans, .* got int64"),
    ],
)
def test_impossible_choices_are_refused(kwargs, error, message):
    with pytest.raises(error, match=message):
        choose(**{"n_tracks": 4, "fraction": 0.25, "random_state": rng(), **kwargs})
