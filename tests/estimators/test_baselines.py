import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksvs.estimators import IdealMaskOracle, MixtureBaseline
from sksvs.metrics import bss_eval_sources
from tests.strategies import tiny_tracks
from tests.tiny_separators import analysed, three_sources


def test_the_mixture_is_the_estimate_of_every_source(tracks):
    X, y = tracks
    baseline = MixtureBaseline().fit(analysed(X), y)
    for x, estimates in zip(X, baseline.predict(analysed(X))):
        np.testing.assert_allclose(estimates, np.stack([x, x]), atol=1e-5)
    expected = [bss_eval_sources(s, np.stack([x, x])).sdr[0] for x, s in zip(X, y)]
    assert baseline.score(analysed(X), y).sdr == pytest.approx(np.mean(expected), abs=1e-3)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("n_sources", [2, 3])
def test_bounds_are_in_order(n_channels, n_sources):
    X, y = tiny_tracks(2, n_channels, duration=1.5)
    y = three_sources(y) if n_sources == 3 else y

    def sdr(estimator):
        return estimator.fit(analysed(X), y).score(analysed(X), y).sdr

    lower = sdr(MixtureBaseline())
    ratio, binary = sdr(IdealMaskOracle()), sdr(IdealMaskOracle("binary"))
    assert lower + 6 < min(ratio, binary)


def test_weights_are_checked_before_the_first_track_is_separated(tracks, monkeypatch):
    X, y = tracks
    baseline = MixtureBaseline().fit(analysed(X), y)
    monkeypatch.setattr(MixtureBaseline, "_estimate", None)  # separating would be a TypeError
    with pytest.raises(ValueError, match="sample_weight must have .* each of the 3 tracks"):
        baseline.score(analysed(X), y, sample_weight=[1, 1])


def test_exponents_change_the_oracle(tracks):
    X, y = tracks
    scores = [
        IdealMaskOracle(p=p, v=v).fit(analysed(X), y).score(analysed(X), y).sdr
        for p, v in ((1, 1), (2, 1), (1, 3))
    ]
    assert len({round(score, 3) for score in scores}) == 3


def test_an_oracle_cannot_predict_and_says_why(tracks):
    X, y = tracks
    oracle = IdealMaskOracle().fit(analysed(X), y)
    for method in (oracle.predict, oracle.predict_mask):
        with pytest.raises(ValueError, match="masks from the true sources and cannot predict"):
            method(analysed(X))


@pytest.mark.parametrize("estimator", [MixtureBaseline(), IdealMaskOracle()])
def test_baselines_keep_the_rules_of_separators(estimator, tracks):
    X, y = tracks
    with pytest.raises(NotFittedError):
        clone(estimator).score(analysed(X), y)
    with pytest.raises(ValueError, match="y is needed"):
        clone(estimator).fit(analysed(X), None)
    clone(estimator).fit(analysed(X), y, groups=["a"] * 3, validation_tracks=[True] * 3)
    with pytest.raises(TypeError, match="Put STFTTransformer before"):
        clone(estimator).fit(X, y)


def test_an_unknown_mask_or_exponent_is_refused_in_fit(tracks):
    with pytest.raises(ValueError, match="IdealMaskOracle: p must be above 0"):
        IdealMaskOracle(p=-1.0).fit(analysed(tracks[0]), tracks[1])
    with pytest.raises(ValueError, match="one of 'ratio', 'binary'; got 'soft'"):
        IdealMaskOracle("soft").fit(analysed(tracks[0]), tracks[1])
