import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, Sources
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import bss_eval_scorer, sar_scorer, sdr_scorer, sir_scorer
from sksvs.transforms import STFTTransformer
from tests.strategies import tiny_tracks


@pytest.fixture(scope="module")
def fitted():
    """Return ``(pipeline, X, y)``."""
    X, y = tiny_tracks(4)
    oracle = make_pipeline(STFTTransformer(n_fft=64, hop_length=32), IdealMaskOracle())
    return oracle.fit(X, y), X, y


def test_scorers_read_the_estimators_own_score(fitted):
    score = fitted[0].score(*fitted[1:])
    assert bss_eval_scorer(*fitted) == {"sdr": score.sdr, "sir": score.sir, "sar": score.sar}
    singles = sdr_scorer(*fitted), sir_scorer(*fitted), sar_scorer(*fitted)
    assert singles == (score.sdr, score.sir, score.sar)


def test_all_sources_have_columns_in_a_search(fitted):
    pipeline, X, y = fitted
    search = GridSearchCV(
        pipeline,
        {"idealmaskoracle__mask": ["ratio", "binary"]},
        scoring=bss_eval_scorer(sources="all"),
        refit="sdr",
        cv=2,
    )
    results = clone(search).fit(X, y).cv_results_
    np.testing.assert_array_equal(results["mean_test_sdr"], results["mean_test_sdr_vocals"])
    assert np.isfinite(results["mean_test_sar_accompaniment"]).all()
    score = pipeline.score(X, y)
    assert bss_eval_scorer(sources="all")(*fitted)["sir_accompaniment"] == score.sources["sir"][1]


NAMES = ("vocals", "bass", "drums", "other")


def songs_of_four_sources(silent=None, n_songs=3):
    """Return songs of a voice, two accompaniments of other songs and noise; `silent`: of song 0."""
    _, y = tiny_tracks(3 * n_songs)
    songs = []
    for i in range(n_songs):
        noise = 0.05 * np.random.default_rng(i).standard_normal(y[0].shape[1])
        songs.append(np.stack([y[i][0], y[i][1], y[i + n_songs][1], noise]))
    if silent is not None:
        songs[0][NAMES.index(silent)] = 0
    names = [Sources([ArrayWaveform(part, 8000) for part in song], NAMES) for song in songs]
    return [
        ArrayWaveform(song.sum(axis=0), 8000, f"song {i}") for i, song in enumerate(songs)
    ], names


class Deaf(IdealMaskOracle):
    """An oracle whose estimate of one source may be silent."""

    def __init__(self, mask="ratio", fails=None):
        super().__init__(mask)
        self.fails = fails

    def _estimate(self, spectrogram, sources):
        estimates = super()._estimate(spectrogram, sources)
        if self.fails is not None:
            estimates[NAMES.index(self.fails)] = 0
        return estimates


def search_of_four_sources(X, y):
    """Return the results of a search over one good and two failing candidates."""
    search = GridSearchCV(
        make_pipeline(STFTTransformer(n_fft=64, hop_length=32), Deaf()),
        {"deaf__fails": [None, "vocals", "drums"]},
        scoring=bss_eval_scorer(sources="all"),
        refit=False,
        cv=[([2], [0, 1])],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", message="One or more of the test scores are non-finite")
        return search.fit(X, y).cv_results_


def test_a_search_over_four_sources_has_columns_named_after_them():
    results = search_of_four_sources(*songs_of_four_sources())
    columns = {name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")}
    metrics = ("sdr", "sir", "sar")
    assert columns == {*metrics, *(f"{metric}_{name}" for metric in metrics for name in NAMES)}
    np.testing.assert_array_equal(results["mean_test_sdr"], results["mean_test_sdr_vocals"])
    for name in NAMES:
        failed = [fails == name for fails in results["param_deaf__fails"]]
        for metric in metrics:
            assert np.isnan(results[f"mean_test_{metric}_{name}"]).tolist() == failed


def test_a_song_without_bass_is_left_out_for_every_candidate_and_source():
    X, y = songs_of_four_sources(silent="bass")
    results = search_of_four_sources(X, y)
    oracle = make_pipeline(STFTTransformer(n_fft=64, hop_length=32), Deaf()).fit(X, y)
    without = bss_eval_scorer(oracle, X[1:2], y[1:2], sources="all")
    for column, value in without.items():
        assert results[f"mean_test_{column}"][0] == pytest.approx(value)
    assert np.isfinite(results["mean_test_sdr_bass"]).all()
    assert np.isfinite(results["mean_test_sdr"]).tolist() == [True, False, True]


def test_sources_must_be_voice_or_all(fitted):
    with pytest.raises(ValueError, match="sources must be 'voice' or 'all'"):
        bss_eval_scorer(sources=1)
