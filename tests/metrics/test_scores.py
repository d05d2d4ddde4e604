import copy
import pickle

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics import (
    PROTOCOLS,
    SeparationScore,
    TrackScore,
    bss_eval_images,
    bss_eval_sources,
    score_tracks,
)
from tests.strategies import seeded_noise

SOURCES = seeded_noise((2, 3000), seed=0)
NOISE = seeded_noise((2, 3000), seed=1, scale=0.05)
GOOD = SOURCES + 0.1 * SOURCES[::-1] + NOISE
POOR = SOURCES + 0.5 * SOURCES[::-1] + NOISE


def test_the_score_is_the_mean_over_tracks_of_the_voice():
    score = score_tracks([("a", SOURCES, GOOD), ("b", SOURCES, POOR)])
    expected = np.mean([bss_eval_sources(SOURCES, e)[:3] for e in (GOOD, POOR)], axis=0)
    assert isinstance(score, float)
    np.testing.assert_allclose([score.sdr, score.sir, score.sar], expected[:, 0], atol=1e-9)
    assert float(score) == score.sdr
    np.testing.assert_allclose(score.sources["sir"], expected[1], atol=1e-9)
    assert [t.name for t in score.tracks] == ["a", "b"]
    assert score.tracks[1].sources["sir"].shape == (2,)


def test_a_score_says_which_variant_and_protocol_produced_it():
    score = score_tracks([("a", SOURCES, GOOD)])
    assert (score.protocol, score.variant) == (
        "whole_tracks",
        "BSS Eval version 3, sources, 512 taps",
    )
    images = score_tracks([("a", SOURCES, GOOD)], IMAGES)
    assert (images.protocol, images.variant) == (
        "images of whole tracks",
        "BSS Eval version 4, images, 64 taps",
    )
    expected = bss_eval_images(SOURCES, GOOD, filter_length=64)
    assert (images.sdr, images.isr) == pytest.approx((expected.sdr[0], expected.isr[0]))
    assert float(images) == images.isr  # the first of the protocol's metrics


def test_copies_and_pickles_keep_all_figures():
    score = score_tracks([("a", SOURCES, GOOD)])
    for again in (copy.deepcopy(score), pickle.loads(pickle.dumps(score))):
        assert (again, again.sir, again.sar) == (score, score.sir, score.sar)
        assert (again.protocol, again.variant) == (score.protocol, score.variant)
        assert again.tracks[0].name == "a"


def test_weights_make_a_weighted_mean_and_leave_out_tracks_of_weight_0():
    with pytest.warns(UndefinedMetricWarning, match="c has no scores"):
        tracks = score_tracks(
            [("a", SOURCES, GOOD), ("b", SOURCES, POOR), ("c", SOURCES, np.zeros_like(GOOD))]
        ).tracks
    score = SeparationScore(tracks, sample_weight=[1, 3, 0])
    for metric in ("sdr", "sir", "sar"):
        a, b = (track.sources[metric] for track in tracks[:2])
        np.testing.assert_allclose(score.sources[metric], (a + 3 * b) / 4)
    assert copy.deepcopy(score).sources["sir"].tolist() == score.sources["sir"].tolist()
    assert float(copy.deepcopy(score)) == float(score) == score.sdr
    assert np.isnan(SeparationScore(tracks, sample_weight=[1, 3, 1e-9]))
    assert (
        score_tracks([("a", SOURCES, GOOD)], sample_weight=[7]).sdr == tracks[0].sources["sdr"][0]
    )


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, np.nan], [[1, 1]]])
def test_unusable_weights_are_refused(weights):
    tracks = score_tracks([("a", SOURCES, GOOD), ("b", SOURCES, POOR)]).tracks
    with pytest.raises(ValueError, match="sample_weight must have a finite number for each of the"):
        SeparationScore(tracks, sample_weight=weights)


def test_a_perfect_estimate_is_clipped_to_100_db():
    score = score_tracks([("a", SOURCES, SOURCES)])
    assert (score.sdr, score.sir) == (100.0, 100.0)
    clipped = score_tracks([("a", SOURCES, np.stack([SOURCES[1], SOURCES[0]]))])
    assert -100 <= clipped.sdr < -5


def test_a_silent_reference_is_left_out_for_everybody():
    silent = SOURCES.copy()
    silent[0] = 0
    with pytest.warns(UndefinedMetricWarning, match=r"b\.wav .* left out .* reference 0 is silent"):
        score = score_tracks([("a.wav", SOURCES, GOOD), ("b.wav", silent, GOOD)])
    assert score.sdr == pytest.approx(bss_eval_sources(SOURCES, GOOD).sdr[0])
    assert [t.left_out for t in score.tracks] == [False, True]


@pytest.mark.parametrize(
    ("estimates", "reason"),
    [
        (np.zeros_like(SOURCES), "its estimate 0 is silent throughout"),
        (np.full_like(SOURCES, np.nan), "its estimate 0 holds NaN or inf"),
        (np.full_like(SOURCES, -np.inf), "its estimate 0 holds NaN or inf"),
        (GOOD[:, :-1], r"its estimates have shape \(2, 2999\), but its references \(2, 3000\)"),
    ],
)
def test_nobody_wins_by_failing_on_a_track(estimates, reason):
    with pytest.warns(UndefinedMetricWarning, match=rf"b\.wav .* makes the mean NaN: {reason}"):
        score = score_tracks([("a.wav", SOURCES, GOOD), ("b.wav", SOURCES, estimates)])
    assert np.isnan([score, score.sdr, score.sir, score.sar]).all()
    assert score.tracks[0].sources["sdr"][0] > 15


def test_a_reference_that_is_not_finite_is_an_error_that_names_the_track():
    with pytest.raises(ValueError, match=r"b\.wav cannot be scored: its reference 1 holds NaN"):
        score_tracks([("b.wav", SOURCES * [[1.0], [np.nan]], GOOD)])


def test_references_too_soft_to_be_squared_count_as_silent():
    with pytest.warns(UndefinedMetricWarning, match="b .* left out .* reference 0 is silent"):
        score = score_tracks([("a", SOURCES, GOOD), ("b", 1e-200 * SOURCES, GOOD)])
    assert score.sdr == pytest.approx(bss_eval_sources(SOURCES, GOOD).sdr[0])


def test_a_silent_accompaniment_does_not_touch_the_voice():
    estimates = GOOD.copy()
    estimates[1] = 0
    score = score_tracks([("a", SOURCES, estimates)])
    assert score.sdr == pytest.approx(bss_eval_sources(SOURCES, GOOD).sdr[0])
    assert np.isnan(score.sources["sdr"]).tolist() == [False, True]


def test_no_track_to_judge_is_nan():
    with pytest.warns(UndefinedMetricWarning, match="left out"):
        assert np.isnan(score_tracks([("a", np.zeros((2, 100)), np.ones((2, 100)))]).sdr)


def test_its_repr_says_all_figures():
    figures = {"sdr": np.array([1.0, 2.0]), "sir": np.array([3.0, 4.0]), "sar": np.ones(2)}
    score = SeparationScore([TrackScore("a", 9, figures, {})])
    assert repr(score) == "SeparationScore(sdr=1.00, sir=3.00, sar=1.00)"
    assert f"{score:.1f}" == "1.0"


IMAGES = PROTOCOLS["whole_tracks"].__class__(
    "images of whole tracks",
    "made for this test",
    PROTOCOLS["musdb18"].variant._replace(filter_length=64),
    ("isr", "sdr"),
    PROTOCOLS["musdb18"].over_tracks,
)
