import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

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
    np.testing.assert_array_equal(results["mean_test_sdr"], results["mean_test_sdr_0"])
    assert np.isfinite(results["mean_test_sar_1"]).all()
    score = pipeline.score(X, y)
    assert bss_eval_scorer(sources="all")(*fitted)["sir_1"] == score.sources["sir"][1]


def test_sources_must_be_voice_or_all(fitted):
    with pytest.raises(ValueError, match="sources must be 'voice' or 'all'"):
        bss_eval_scorer(sources=1)
