import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics import (
    PROTOCOLS,
    SeparationScore,
    TrackScore,
    bss_eval_images,
    bss_eval_sources,
    log_wmse,
    score_tracks,
    usdr,
)
from sksvs.metrics.scores import score_track
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
    for metric in ("sdr", "sir", "sar"):
        left_out = [track.left_out[metric].tolist() for track in score.tracks]
        assert left_out == [[False, False], [True, True]]


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


@pytest.mark.parametrize("name", ["huang2014", "park2018", "log_wmse"])
def test_a_protocol_that_compares_with_the_mixture_needs_it(name):
    with pytest.raises(ValueError, match=f"'{name}' compares a with its mixture, .* Use sksvs"):
        score_track("a", SOURCES, GOOD, PROTOCOLS[name], sample_rate=44100)


def test_references_too_soft_to_be_squared_count_as_silent():
    with pytest.warns(UndefinedMetricWarning, match="b .* left out .* reference 0 is silent"):
        score = score_tracks([("a", SOURCES, GOOD), ("b", 1e-200 * SOURCES, GOOD)])
    assert score.sdr == pytest.approx(bss_eval_sources(SOURCES, GOOD).sdr[0])


@pytest.mark.parametrize("failure", [0, np.nan])
def test_an_estimate_that_fails_touches_no_other_source(failure):
    for failed in (0, 1):
        estimates = GOOD.copy()
        estimates[failed] = failure
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # where it is the voice
            score = score_tracks([("a", SOURCES, estimates)])
        expected = bss_eval_sources(SOURCES, GOOD).sdr
        expected[failed] = np.nan
        np.testing.assert_allclose(score.sources["sdr"], expected)


MDX = PROTOCOLS["mdx"]
LOG_WMSE = PROTOCOLS["log_wmse"]


def score_with_mixture(tracks, protocol):
    """Return the score of (name, references, estimates), whose mixtures are the references' sum."""
    scores = [score_track(*t, protocol, t[1].sum(axis=0), sample_rate=44100) for t in tracks]
    for score in scores:
        score.warn()
    return SeparationScore(scores, protocol)


def test_mdx_leaves_out_a_silent_reference_for_its_own_source_alone():
    silent = SOURCES * [[1.0], [0.0]]
    with pytest.warns(UndefinedMetricWarning, match="b has no usdr of source 1, so it is left out"):
        score = score_tracks([("a", SOURCES, GOOD), ("b", silent, POOR)], MDX)
    expected = [usdr(SOURCES, GOOD), usdr(silent, POOR)]
    assert score.usdr == score == pytest.approx(np.mean([e[0] for e in expected]))
    assert score.sources["usdr"][1] == pytest.approx(expected[0][1])
    with pytest.warns(
        UndefinedMetricWarning, match="b has no scores, so it is left out .* 0 is si"
    ):
        score = score_tracks([("a", SOURCES, GOOD), ("b", silent[::-1], POOR)], MDX)
    assert score == pytest.approx(expected[0][0])


def test_mdx_scores_a_silent_estimate_and_log_wmse_a_silent_reference():
    assert score_tracks([("a", SOURCES, 0 * SOURCES)], MDX).usdr == pytest.approx(0)
    silent = SOURCES * [[0.0], [1.0]]
    tracks = [("a", SOURCES, GOOD), ("b", silent, GOOD - SOURCES), ("c", silent, GOOD)]
    by_track = [log_wmse(s, e, s.sum(axis=0), 44100) for _, s, e in tracks]
    score = score_with_mixture(tracks, LOG_WMSE)
    assert score.log_wmse == pytest.approx(np.mean(by_track, axis=0)[0])
    assert by_track[1][0] > by_track[2][0] + 5  # it removes more of the mixture


@pytest.mark.parametrize("protocol", [MDX, LOG_WMSE])
def test_no_metric_lets_an_estimate_with_nan_win(protocol):
    broken = np.where([[True], [False]], np.nan, GOOD)
    with pytest.warns(
        UndefinedMetricWarning, match="b has no scores, so it makes the mean NaN: its"
    ):
        score = score_with_mixture([("a", SOURCES, GOOD), ("b", SOURCES, broken)], protocol)
    assert np.isnan(score.sources[protocol.metrics[0]]).tolist() == [True, False]


def test_a_protocol_may_mix_metrics_and_each_treats_silence_as_it_does_alone():
    both = replace(PROTOCOLS["whole_tracks"], metrics=("log_wmse", "sdr", "usdr"))
    silent = SOURCES * [[0.0], [1.0]]
    tracks = [("a", SOURCES, GOOD), ("b", silent, GOOD)]
    with pytest.warns(UndefinedMetricWarning, match="b has no sdr, usdr, so it is left out"):
        score = score_with_mixture(tracks, both)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        for metric in both.metrics:
            alone = score_with_mixture(tracks, replace(both, metrics=(metric,)))
            np.testing.assert_array_equal(score.sources[metric], alone.sources[metric])


def test_a_silent_mixture_is_left_out_of_log_wmse():
    with pytest.warns(
        UndefinedMetricWarning, match="b has no scores, .* left out .* mixture is sil"
    ):
        score = score_with_mixture([("a", SOURCES, GOOD), ("b", 0 * SOURCES, GOOD)], LOG_WMSE)
    assert np.isfinite(score)


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
