import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sksvs import effects
from sksvs.audio import ArrayWaveform
from sksvs.augmentation import (
    Augmentation,
    SourceCrop,
    change_speed,
    draw_plan,
    read_circularly,
    read_plan,
)
from tests.strategies import seeded_noise

LENGTHS = [70_000, 120_000, 50_000]
CHANNELS = [1, 3, 2]  # of the sources of every track


def plans(augmentation, n=200, seed=0):
    rng = np.random.RandomState(seed)
    shapes = [[(length, channels) for channels in CHANNELS] for length in LENGTHS]
    sources = [[ArrayWaveform(np.zeros(shape)) for shape in track] for track in shapes]
    return [draw_plan(augmentation, 1, 500, sources, rng) for _ in range(n)]


def test_by_default_nothing_is_varied():
    same = (SourceCrop(1, 500, 1.0, 1.0),) * 3
    assert plans(Augmentation()) == [same] * 200


def test_gains_are_drawn_for_every_source_within_their_range():
    gains = np.array([[crop.gain for crop in plan] for plan in plans(Augmentation(6.0))])
    decibels = 20 * np.log10(gains)
    assert -6 <= decibels.min() < -5.5
    assert 5.5 < decibels.max() <= 6
    assert np.abs(np.corrcoef(decibels.T) - np.eye(3)).max() < 0.25


def test_remixed_sources_come_from_any_track_and_the_first_stays():
    drawn = plans(Augmentation(remix=0.5))
    assert {plan[0] for plan in drawn} == {SourceCrop(1, 500, 1.0, 1.0)}
    remixed = [plan for plan in drawn if plan[1] != plan[0]]
    assert 60 < len(remixed) < 140
    assert {crop.track for plan in remixed for crop in plan[1:]} == {0, 1, 2}
    assert all(0 <= crop.first < LENGTHS[crop.track] for plan in drawn for crop in plan)


def test_remixed_sources_are_each_from_a_place_of_their_own_anywhere_in_the_track():
    drawn = plans(Augmentation(remix=1.0))
    places = np.array([[crop.first / LENGTHS[crop.track] for crop in plan[1:]] for plan in drawn])
    quarters = [np.histogram(of_source, 4, (0, 1))[0] for of_source in places.T]
    assert np.min(quarters) > 25  # of 50 each
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.25


def test_shifts_are_multiples_of_ten_thousand_samples_and_the_first_source_stays():
    drawn = plans(Augmentation(shift=1.0))
    shifts = {crop.first - 500 for plan in drawn for crop in plan[1:]}
    assert shifts == set(range(0, 120_000, 10_000))
    assert {plan[0].first for plan in drawn} == {500}


def test_the_speed_is_drawn_on_both_sides_of_one():
    speeds = [{crop.speed for crop in plan} for plan in plans(Augmentation(speed=0.1))]
    assert {len(of_all_sources) for of_all_sources in speeds} == {1}
    speeds = [speed for (speed,) in speeds]
    assert 0.9 <= min(speeds) < 0.91
    assert 1.09 < max(speeds) <= 1.1


def test_sources_of_different_tracks_each_have_a_speed_of_their_own():
    drawn = plans(Augmentation(speed=0.3, remix=1.0))
    speeds = np.array([[crop.speed for crop in plan] for plan in drawn])
    assert np.abs(np.corrcoef(speeds.T) - np.eye(3)).max() < 0.25


@pytest.mark.parametrize("remix", [0.0, 0.5])
def test_sources_can_each_have_a_largest_change_of_speed(remix):
    drawn = plans(Augmentation(remix=remix, speed=(0.3, 0.0, 0.1)))
    speeds = np.array([[crop.speed for crop in plan] for plan in drawn])
    np.testing.assert_allclose(speeds.min(axis=0), [0.7, 1.0, 0.9], atol=0.01)
    np.testing.assert_allclose(speeds.max(axis=0), [1.3, 1.0, 1.1], atol=0.01)
    assert abs(np.corrcoef(speeds[:, 0], speeds[:, 2])[0, 1]) < 0.25


def test_parameters_do_not_disturb_one_another():
    both, remix = plans(Augmentation(3.0, remix=0.5)), plans(Augmentation(remix=0.5))
    for a, b in zip(both, remix):
        assert [crop[:2] for crop in a] == [crop[:2] for crop in b]


def test_by_chance_a_source_of_several_channels_is_one_of_them():
    drawn = plans(Augmentation(channel=0.5))
    channels = [[crop.channel for crop in plan] for plan in drawn]
    one, three, two = zip(*channels)
    assert (set(one), set(three), set(two)) == ({None}, {None, 0, 1, 2}, {None, 0, 1})
    for of_source in (three, two):
        assert 70 < of_source.count(None) < 130
        assert min(map(of_source.count, set(of_source))) > 20
    alike = sum((a is None) == (b is None) for a, b in zip(three, two))
    assert 70 < alike < 130  # each source on its own
    assert {crop._replace(channel=None) for plan in drawn for crop in plan} == {
        SourceCrop(1, 500, 1.0, 1.0)
    }
    for plan in plans(Augmentation(channel=1.0)):
        assert [crop.channel is None for crop in plan] == [True, False, False]


def test_the_numbers_for_channels_are_drawn_after_all_others():
    all_others = Augmentation(6.0, 0.5, 0.5, 0.1)
    (without,) = plans(all_others, n=1)
    (varied,) = plans(clone(all_others).set_params(channel=1.0), n=1)
    assert [crop[:4] for crop in varied] == [crop[:4] for crop in without]
    often, seldom = (plans(Augmentation(6.0, 0.5, 0.5, 0.1, p)) for p in (0.9, 0.1))
    for a, b in zip(often, seldom):
        assert [crop[:4] for crop in a] == [crop[:4] for crop in b]


def test_without_channels_as_many_numbers_are_drawn_as_ever():
    rng, counted = np.random.RandomState(0), np.random.RandomState(0)
    sources = [[ArrayWaveform(np.zeros((9000, 2)))] * 3] * 4
    draw_plan(Augmentation(6.0, 0.5, 0.5, 0.1), 1, 500, sources, rng)
    # Whether to remix and to shift, speeds, gains, tracks, places.
    counted.random_sample(2 + 3 + 3)
    counted.randint(4, size=3)
    counted.random_sample(2 * 3)
    assert rng.random_sample() == counted.random_sample()


ALL_OTHERS = Augmentation(6.0, 0.5, 0.5, 0.1, 0.5)


@pytest.mark.parametrize(
    "more",
    [
        {"effects": 1.0},
        {"drop": 0.5},
        {"limit": 0.5},
        {"effects": 0.5, "drop": (1.0, 0.0, 0.3), "limit": 1.0},
    ],
)
def test_effects_limiters_and_dropped_sources_change_no_other_variation_of_any_segment(more):
    without, varied = plans(ALL_OTHERS), plans(clone(ALL_OTHERS).set_params(**more))
    assert varied != without
    for a, b in zip(without, varied):
        for before, after in zip(a, b):
            assert after.gain in (0, before.gain)
            assert after._replace(gain=before.gain, effects=None, limit_db=None) == before


def test_effects_and_dropped_sources_do_not_depend_on_one_another_or_on_other_variations():
    both = plans(clone(ALL_OTHERS).set_params(effects=0.5, drop=0.3, limit=0.5))
    for others in (ALL_OTHERS, Augmentation(channel=0.2)):
        effects = plans(clone(others).set_params(effects=0.5))
        drop = plans(clone(others).set_params(drop=0.3))
        first = 200 if others is ALL_OTHERS else 1  # channels are drawn before the next segment
        for a, b, c in list(zip(both, effects, drop))[:first]:
            assert [crop.effects for crop in a] == [crop.effects for crop in b]
            assert [crop.gain == 0 for crop in a] == [crop.gain == 0 for crop in c]


def test_by_chance_the_first_source_goes_through_effects_of_its_own_seed():
    drawn = plans(Augmentation(effects=0.5))
    seeds = [plan[0].effects for plan in drawn]
    assert 70 < seeds.count(None) < 130
    assert len(set(seeds)) == 201 - seeds.count(None)
    assert {crop for plan in drawn for crop in plan[1:]} == {SourceCrop(1, 500, 1.0, 1.0)}
    assert None not in [plan[0].effects for plan in plans(Augmentation(effects=1.0))]


@pytest.mark.parametrize("remix", [0.0, 0.5])
def test_remixed_segments_have_effects_and_dropped_sources_as_often_as_others(remix):
    drawn = plans(Augmentation(remix=remix, effects=0.5, drop=0.3), n=2000)
    for chosen in (drawn, [plan for plan in drawn if plan[1].track != 1] or drawn):
        assert np.mean([p[0].effects is not None for p in chosen]) == pytest.approx(0.5, abs=0.05)
        dropped = np.mean([[crop.gain == 0 for crop in p] for p in chosen], axis=0)
        np.testing.assert_allclose(dropped, 0.3 - 0.3**3 / 3, atol=0.05)


@pytest.mark.parametrize(
    ("drop", "shares"),
    [(0.5, (11 / 24,) * 3), ((0.4, 0.0, 0.1), (0.4, 0.0, 0.1)), (1.0, (2 / 3,) * 3)],
)
def test_sources_are_dropped_as_often_as_asked_but_never_all_of_them(drop, shares):
    drawn = plans(Augmentation(drop=drop), n=1000)
    dropped = np.array([[crop.gain == 0 for crop in plan] for plan in drawn])
    assert not dropped.all(axis=1).any()
    np.testing.assert_allclose(dropped.mean(axis=0), shares, atol=0.06)
    assert {crop.gain for plan in drawn for crop in plan} == {0.0, 1.0}


def test_a_dropped_source_is_silent_and_the_others_stay():
    sources = [[ArrayWaveform(seeded_noise(5000, seed)) for seed in range(2)]]
    crops = SourceCrop(0, 100, 0.5, 1.0), SourceCrop(0, 200, 2.0, 1.1)
    whole = read_plan(crops, sources, 300)
    segment = read_plan([crops[0]._replace(gain=0.0), crops[1]], sources, 300)
    assert not segment[0].any()
    np.testing.assert_array_equal(segment[1], whole[1])


def test_the_voice_of_a_segment_goes_through_the_effects_of_its_seed():
    sources = [[ArrayWaveform(seeded_noise(9000, seed)) for seed in range(2)]]
    crops = SourceCrop(0, 100, 0.5, 1.1), SourceCrop(0, 200, 2.0, 1.0)
    dry = read_plan(crops, sources, 3000, 8000)
    first, second, again = (
        read_plan([crops[0]._replace(effects=seed), crops[1]], sources, 3000, 8000)
        for seed in (3, 4, 3)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[1], dry[1])
    assert np.abs(first[0] - second[0]).max() > 0.01
    assert effects.rms(first[0]) == pytest.approx(effects.rms(dry[0]), rel=1e-5)
    expected = effects.vary_voice(dry[0], 8000, np.random.RandomState(3))
    np.testing.assert_allclose(first[0], expected, atol=1e-5)  # they ignore a common gain


def test_by_chance_all_sources_of_a_segment_go_through_one_limiter():
    drawn = plans(Augmentation(drop=0.5, limit=0.5))
    limits = [{crop.limit_db for crop in plan} for plan in drawn]
    assert {len(of_segment) for of_segment in limits} == {1}
    limits = [of_segment.pop() for of_segment in limits]
    assert 70 < limits.count(None) < 130
    decibels = [x for x in limits if x is not None]
    assert min(decibels) >= 3
    assert max(decibels) <= 12
    assert len(set(decibels)) == len(decibels)


def test_a_limited_segment_is_as_loud_as_before_but_has_lower_peaks():
    sources = [[ArrayWaveform(seeded_noise(9000, seed)) for seed in range(2)]]
    crops = SourceCrop(0, 100, 0.5, 1.1), SourceCrop(0, 200, 2.0, 1.0)
    before = read_plan(crops, sources, 3000, 8000)
    limited = read_plan([crop._replace(limit_db=9.0) for crop in crops], sources, 3000, 8000)
    mixture = limited.sum(axis=0)
    assert effects.rms(mixture) == pytest.approx(effects.rms(before.sum(axis=0)), rel=1e-5)
    assert np.abs(mixture).max() < 0.9 * np.abs(before.sum(axis=0)).max()
    # Every source has the same gains.
    np.testing.assert_allclose(limited[0] * before[1], limited[1] * before[0], atol=1e-4)
    silent = read_plan(
        [crop._replace(gain=0.0, limit_db=9.0) for crop in crops], sources, 3000, 8000
    )
    assert not silent.any()


@given(n=st.integers(1, 30), first=st.integers(-100, 100), n_samples=st.integers(1, 100))
def test_a_track_that_is_read_circularly_begins_again_where_it_ends(n, first, n_samples):
    samples = np.arange(float(n))
    read = read_circularly(ArrayWaveform(samples), first, n_samples)
    np.testing.assert_array_equal(read, samples[(first + np.arange(n_samples)) % n])


def test_a_segment_is_made_of_its_crops():
    voice, music, other = (seeded_noise(5000, seed) for seed in range(3))
    sources = [[ArrayWaveform(voice), ArrayWaveform(music)], [ArrayWaveform(other)] * 2]
    plan = SourceCrop(0, 100, 0.5, 1.0), SourceCrop(1, 4900, 2.0, 1.0)
    segment = read_plan(plan, sources, 300)
    assert segment.dtype == np.float32
    np.testing.assert_allclose(segment[0], 0.5 * voice[100:400], atol=1e-6)
    expected = 2 * np.concatenate([other[4900:], other[:200]])
    np.testing.assert_allclose(segment[1], expected, atol=1e-6)


@pytest.mark.parametrize("channel", [None, 0, 1])
def test_a_crop_is_read_from_its_channel_or_from_their_mean(channel):
    stereo = seeded_noise((5000, 2), seed=0)
    crop = SourceCrop(0, 4900, 2.0, 1.0, channel)
    (read,) = read_plan([crop], [[ArrayWaveform(stereo)]], 300)
    expected = stereo.mean(axis=1) if channel is None else stereo[:, channel]
    np.testing.assert_allclose(
        read, 2 * np.take(expected, range(4900, 5200), mode="wrap"), atol=1e-6
    )


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_faster_is_higher(speed):
    tone = np.sin(2 * np.pi * 0.05 * np.arange(8000)).astype(np.float32)
    faster = change_speed(tone[: round(4000 * speed)], 4000)
    assert len(faster) == 4000
    expected = np.sin(2 * np.pi * 0.05 * speed * np.arange(4000))
    np.testing.assert_allclose(faster[200:-200], expected[200:-200], atol=0.01)


def test_its_parameters_can_be_cloned_and_set():
    augmentation = clone(Augmentation(gain_db=3.0).set_params(remix=0.25))
    others = {"shift": 0.0, "speed": 0.0, "channel": 0.0}
    others |= {"effects": 0.0, "drop": 0.0, "limit": 0.0}
    assert augmentation.get_params() == {"gain_db": 3.0, "remix": 0.25, **others}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gain_db": -1}, "gain_db must be at least 0 and finite; got -1"),
        ({"gain_db": float("inf")}, "gain_db must be at least 0 and finite; got inf"),
        ({"remix": 1.5}, "remix must be a probability, from 0 to 1; got 1.5"),
        ({"shift": True}, "shift must be a probability, .* got True"),
        ({"speed": 0.9}, "speed must be at least 0 and at most 0.5, or a tuple .*; got 0.9"),
        ({"speed": (0.3, 0.9)}, r"speed must be at least 0 .*; got \(0.3, 0.9\)"),
        ({"speed": None}, "speed must be at least 0 .*; got None"),
        ({"channel": -0.5}, "channel must be a probability, from 0 to 1; got -0.5"),
        ({"effects": 2}, "effects must be a probability, from 0 to 1; got 2"),
        ({"effects": (0.5, 0)}, "effects must be a probability, from 0 to 1; got"),
        ({"drop": 1.5}, "drop must be a probability, from 0 to 1, or a tuple .*; got 1.5"),
        ({"drop": (0.5, -1)}, r"drop must be a probability, .*; got \(0.5, -1\)"),
    ],
)
def test_impossible_values_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**parameters).check()


@pytest.mark.parametrize("name", ["speed", "drop"])
@pytest.mark.parametrize("values", [(0.1,), (0.1, 0.2, 0.3)])
def test_as_many_values_as_sources_are_wanted(name, values):
    Augmentation(**{name: 0.1}).check_sources(2)
    Augmentation(**{name: (0.1, 0.0)}).check_sources(2)
    message = rf"{name} must have .* but has {len(values)} where the tracks have 2"
    with pytest.raises(ValueError, match=message):
        Augmentation(**{name: values}).check_sources(2)
