import copy
import pickle

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sksvs.metrics import SeparationScore, SourceScores, TrackScore, bss_eval, score_tracks
from tests.strategies import seeded_noise

SOURCES = seeded_noise((2, 3000), seed=0)
NOISE = seeded_noise((2, 3000), seed=1, scale=0.05)
GOOD = SOURCES + 0.1 * SOURCES[::-1] + NOISE
POOR = SOURCES + 0.5 * SOURCES[::-1] + NOISE


def test_the_score_is_the_mean_over_tracks_of_the_voice():
    score = score_tracks([("a", SOURCES, GOOD), ("b", SOURCES, POOR)])
    expected = np.mean([np.array(bss_eval(SOURCES, e))[:, 0] for e in (GOOD, POOR)], axis=0)
    assert isinstance(score, float)
    np.testing.assert_allclose([score.sdr, score.sir, score.sar], expected, atol=1e-9)
    assert float(score) == score.sdr
    assert [t.name for t in score.tracks] == ["a", "b"]
    assert score.tracks[1].sources.sir.shape == (2,)


def test_copies_and_pickles_keep_all_figures():
    score = score_tracks([("a", SOURCES, GOOD)])
    for again in (copy.deepcopy(score), pickle.loads(pickle.dumps(score))):
        assert (again, again.sir, again.sar) == (score, score.sir, score.sar)
        assert again.tracks[0].name == "a"


def test_a_perfect_estimate_is_clipped_to_100_db():
    score = score_tracks([("a", SOURCES, SOURCES)])
    assert (score.sdr, score.sir) == (100.0, 100.0)
    clipped = score_tracks([("a", SOURCES, np.stack([SOURCES[1], SOURCES[0]]))])
    assert -100 <= clipped.sdr < -5


def test_a_silent_reference_is_left_out_for_everybody():
    silent = SOURCES.copy()
    silent[0] = 0
    with pytest.warns(UndefinedMetricWarning, match=r"b\.wav is left out .* reference 0 is silent"):
        score = score_tracks([("a.wav", SOURCES, GOOD), ("b.wav", silent, GOOD)])
    assert score.sdr == pytest.approx(bss_eval(SOURCES, GOOD).sdr[0])
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
    with pytest.warns(UndefinedMetricWarning, match=rf"b\.wav has no score.*{reason}"):
        score = score_tracks([("a.wav", SOURCES, GOOD), ("b.wav", SOURCES, estimates)])
    assert np.isnan([score, score.sdr, score.sir, score.sar]).all()
    assert score.tracks[0].sources.sdr[0] > 15


def test_references_that_cannot_be_told_apart_are_left_out_for_everybody():
    with pytest.warns(UndefinedMetricWarning, match="b is left out .* cannot be told apart"):
        score = score_tracks([("a", SOURCES, GOOD), ("b", 1e-200 * SOURCES, GOOD)])
    assert score.sdr == pytest.approx(bss_eval(SOURCES, GOOD).sdr[0])


def test_a_silent_accompaniment_does_not_touch_the_voice():
    estimates = GOOD.copy()
    estimates[1] = 0
    score = score_tracks([("a", SOURCES, estimates)])
    assert score.sdr == pytest.approx(bss_eval(SOURCES, GOOD).sdr[0])


def test_no_track_to_judge_is_nan():
    with pytest.warns(UndefinedMetricWarning, match="left out"):
        assert np.isnan(score_tracks([("a", np.zeros((2, 100)), np.ones((2, 100)))]).sdr)


def test_its_repr_says_all_three():
    figures = SourceScores(*np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    score = SeparationScore([TrackScore("a", figures)])
    assert repr(score) == "SeparationScore(sdr=1.00, sir=3.00, sar=5.00)"
    assert f"{score:.1f}" == "1.0"
