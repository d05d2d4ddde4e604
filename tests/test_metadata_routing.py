"""Everything works with scikit-learn's metadata routing, where it is enabled."""

import numpy as np
import pytest
import sklearn
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import Pipeline

from sksvs.estimators import IdealMaskOracle, MixtureBaseline, VotingSeparator
from sksvs.metrics import bss_eval_scorer, evaluate, sdr_scorer
from sksvs.transforms import STFTTransformer
from tests.strategies import tiny_tracks
from tests.tiny_separators import tiny_separator

GROUPS = ["a", "a", "b", "c"]


@pytest.fixture(scope="module")
def tracks():
    return tiny_tracks(4)


@pytest.fixture
def routing():
    """Enable metadata routing while a test runs."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def pipeline(last):
    stft = STFTTransformer(n_fft=64, hop_length=32)
    return Pipeline([("stft", stft), ("last", last)])


def network(**parameters):
    return tiny_separator(max_iter=1, early_stopping=True, **parameters)


@pytest.mark.parametrize(
    ("scoring", "refit", "column"),
    [
        (None, True, "score"),
        (sdr_scorer, True, "score"),
        (bss_eval_scorer, "sdr", "sdr"),
        (bss_eval_scorer(sources="all"), "sdr_accompaniment", "sdr_vocals"),
    ],
)
def test_searches_have_the_scores_that_they_have_without_it(tracks, scoring, refit, column):
    scores = []
    for enabled in (False, True):
        with sklearn.config_context(enable_metadata_routing=enabled):
            search = GridSearchCV(
                pipeline(IdealMaskOracle()),
                {"last__mask": ["ratio", "binary"]},
                scoring=scoring,
                refit=refit,
                cv=2,
            )
            searched = search.fit(*tracks).cv_results_[f"mean_test_{column}"]
            once = pipeline(IdealMaskOracle())
            folds = cross_validate(once, *tracks, scoring=scoring, cv=2)[f"test_{column}"]
            scores.append([*searched, *folds])
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_oracle_gets_its_sources(tracks, n_jobs):
    found = []
    for enabled in (False, True):
        with sklearn.config_context(enable_metadata_routing=enabled):
            fitted = pipeline(MixtureBaseline()).fit(*tracks)
            oracle = IdealMaskOracle()
            found.append(evaluate(fitted, *tracks, oracle=oracle, n_jobs=n_jobs).summary)
            oracle = pipeline(IdealMaskOracle()).fit(*tracks)
            assert oracle.predict(tracks[0], sources=tracks[1])[0].shape == tracks[1][0].shape
    assert found[1] == pytest.approx(found[0], nan_ok=True)


@pytest.mark.slow
@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("voting", [False, True])
def test_groups_reach_early_stopping_where_they_are_requested(tracks, voting):
    last = network()
    if voting:
        last = VotingSeparator([("one", network()), ("two", network(random_state=1))])
    with pytest.raises(UnsetMetadataPassedError, match=r"\[groups\] are passed but are not"):
        pipeline(last).fit(*tracks, groups=GROUPS)
    fitted = pipeline(last.set_fit_request(groups=True)).fit(*tracks, groups=GROUPS)[-1]
    for member in fitted.estimators_ if voting else [fitted]:
        assert member.held_out_.any()
        assert member.held_out_[0] == member.held_out_[1]  # of one group
    chosen = [False, True, False, False]
    last.set_fit_request(groups=False, validation_tracks=True)
    fitted = pipeline(last).fit(*tracks, validation_tracks=chosen)[-1]
    for member in fitted.estimators_ if voting else [fitted]:
        assert member.held_out_.tolist() == chosen


@pytest.mark.slow
@pytest.mark.usefixtures("routing")
def test_groups_are_cut_to_the_folds_of_a_search(tracks):
    requesting = network().set_fit_request(groups=True)
    search = GridSearchCV(
        pipeline(requesting), {"last": [MixtureBaseline(), requesting]}, cv=GroupKFold(2)
    )
    search.fit(*tracks, groups=["a", "b", "c", "d"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    folds = cross_validate(
        pipeline(network().set_fit_request(groups=False)),
        *tracks,
        scoring=bss_eval_scorer,
        cv=GroupKFold(2),
        params={"groups": GROUPS},
    )
    assert np.isfinite(folds["test_sar"]).all()


@pytest.mark.parametrize("enabled", [False, True])
def test_weights_of_tracks_reach_the_score(tracks, enabled):
    with sklearn.config_context(enable_metadata_routing=enabled):
        last = IdealMaskOracle()
        if enabled:
            last.set_score_request(sample_weight=True)
        fitted = pipeline(last).fit(*tracks)
        score = fitted.score(*tracks, sample_weight=[1, 3, 0, 0])
        of_track = [track.sources["sdr"][0] for track in fitted.score(*tracks).tracks]
    assert score.sdr == pytest.approx((of_track[0] + 3 * of_track[1]) / 4)
