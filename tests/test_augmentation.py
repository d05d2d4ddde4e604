import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sksvs.augmentation import (
    Augmentation,
    Part,
    change_speed,
    draw_plan,
    read_circularly,
    read_plan,
)
from sksvs.waveform import ArrayWaveform
from tests.strategies import seeded_noise

LENGTHS = [70_000, 120_000, 50_000]


def plans(augmentation, n=200, n_sources=3, seed=0):
    rng = np.random.RandomState(seed)
    return [draw_plan(augmentation, 1, 500, n_sources, LENGTHS, rng) for _ in range(n)]


def test_by_default_nothing_is_varied():
    same = (Part(1, 500, 1.0, 1.0),) * 3
    assert plans(Augmentation()) == [same] * 200


def test_gains_are_drawn_for_every_source_within_their_range():
    gains = np.array([[part.gain for part in plan] for plan in plans(Augmentation(6.0))])
    decibels = 20 * np.log10(gains)
    assert -6 <= decibels.min() < -5.5
    assert 5.5 < decibels.max() <= 6
    assert np.abs(np.corrcoef(decibels.T) - np.eye(3)).max() < 0.25


def test_remixed_sources_come_from_any_track_and_the_first_stays():
    drawn = plans(Augmentation(remix=0.5))
    assert {plan[0] for plan in drawn} == {Part(1, 500, 1.0, 1.0)}
    remixed = [plan for plan in drawn if plan[1] != plan[0]]
    assert 60 < len(remixed) < 140
    assert {part.track for plan in remixed for part in plan[1:]} == {0, 1, 2}
    assert all(0 <= part.first < LENGTHS[part.track] for plan in drawn for part in plan)


def test_shifts_are_multiples_of_ten_thousand_samples_and_the_first_source_stays():
    drawn = plans(Augmentation(shift=1.0))
    shifts = {part.first - 500 for plan in drawn for part in plan[1:]}
    assert shifts == set(range(0, 120_000, 10_000))
    assert {plan[0].first for plan in drawn} == {500}


def test_the_speed_is_drawn_on_both_sides_of_one():
    speeds = [{part.speed for part in plan} for plan in plans(Augmentation(speed=0.1))]
    assert {len(of_all_sources) for of_all_sources in speeds} == {1}
    speeds = [speed for (speed,) in speeds]
    assert 0.9 <= min(speeds) < 0.91
    assert 1.09 < max(speeds) <= 1.1


def test_sources_of_different_tracks_each_have_a_speed_of_their_own():
    drawn = plans(Augmentation(speed=0.3, remix=1.0))
    speeds = np.array([[part.speed for part in plan] for plan in drawn])
    assert np.abs(np.corrcoef(speeds.T) - np.eye(3)).max() < 0.25


def test_parameters_do_not_disturb_one_another():
    both, remix = plans(Augmentation(3.0, remix=0.5)), plans(Augmentation(remix=0.5))
    for a, b in zip(both, remix):
        assert [part[:2] for part in a] == [part[:2] for part in b]


@given(n=st.integers(1, 30), first=st.integers(-100, 100), n_samples=st.integers(1, 100))
def test_a_track_that_is_read_circularly_begins_again_where_it_ends(n, first, n_samples):
    samples = np.arange(float(n))
    read = read_circularly(ArrayWaveform(samples), first, n_samples)
    np.testing.assert_array_equal(read, samples[(first + np.arange(n_samples)) % n])


def test_a_segment_is_made_of_its_parts():
    voice, music, other = (seeded_noise(5000, seed) for seed in range(3))
    sources = [[ArrayWaveform(voice), ArrayWaveform(music)], [ArrayWaveform(other)] * 2]
    plan = Part(0, 100, 0.5, 1.0), Part(1, 4900, 2.0, 1.0)
    segment = read_plan(plan, sources, 300)
    assert segment.dtype == np.float32
    np.testing.assert_allclose(segment[0], 0.5 * voice[100:400], atol=1e-6)
    expected = 2 * np.concatenate([other[4900:], other[:200]])
    np.testing.assert_allclose(segment[1], expected, atol=1e-6)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_faster_is_higher(speed):
    tone = np.sin(2 * np.pi * 0.05 * np.arange(8000)).astype(np.float32)
    faster = change_speed(tone[: round(4000 * speed)], 4000)
    assert len(faster) == 4000
    expected = np.sin(2 * np.pi * 0.05 * speed * np.arange(4000))
    np.testing.assert_allclose(faster[200:-200], expected[200:-200], atol=0.01)


def test_its_parameters_can_be_cloned_and_set():
    augmentation = clone(Augmentation(gain_db=3.0).set_params(remix=0.25))
    assert augmentation.get_params() == {"gain_db": 3.0, "remix": 0.25, "shift": 0.0, "speed": 0.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gain_db": -1}, "gain_db must be at least 0 and finite; got -1"),
        ({"gain_db": float("inf")}, "gain_db must be at least 0 and finite; got inf"),
        ({"remix": 1.5}, "remix must be a probability, from 0 to 1; got 1.5"),
        ({"shift": True}, "shift must be a probability, .* got True"),
        ({"speed": 0.9}, "speed must be at least 0 and at most 0.5; got 0.9"),
    ],
)
def test_impossible_values_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**parameters).check()
