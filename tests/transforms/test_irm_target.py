import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.transforms import IRMTarget, STFTTransformer, ideal_ratio_mask
from tests.strategies import seeded_noise

STFT = STFTTransformer(n_fft=64, hop_length=32)


@settings(max_examples=20)
@given(
    n_sources=st.integers(2, 4),
    p=st.sampled_from([0.7, 1.0, 2.0]),
    v=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_the_rule_that_it_attaches_is_the_ideal_ratio_mask_also_of_a_copy(n_sources, p, v):
    magnitudes = np.abs(seeded_noise((n_sources, 5, 6), seed=n_sources)).astype(np.float32)
    expected = ideal_ratio_mask(magnitudes, p, v)
    X = IRMTarget(p, v).fit_transform(STFT.transform([np.ones(500), np.ones(300)]))
    for tracks in (X, copy.deepcopy(X), pickle.loads(pickle.dumps(X))):
        for x in tracks:
            np.testing.assert_array_equal(x.mask_rule(magnitudes), expected)


def test_the_rule_stays_with_the_downmix():
    (x,) = IRMTarget(2).fit_transform(STFT.transform([np.ones((500, 2))]))
    assert x.to_mono().ndim == 2
    assert x.to_mono().mask_rule == x.mask_rule == IRMTarget(2.0).fit_transform([x])[0].mask_rule


def test_transform_attaches_nothing_and_takes_off_what_there_is():
    sources = seeded_noise((2, 500), seed=0)
    X = STFT.transform([sources.sum(axis=0)])
    irm = IRMTarget().fit(X, [sources])
    assert irm.transform(X)[0].mask_rule is None
    chosen = irm.fit_transform(X, [sources])
    assert chosen[0].mask_rule is not None
    assert irm.transform(chosen)[0].mask_rule is None
    assert X[0].mask_rule is None


def test_it_needs_neither_y_nor_a_fit():
    tags = IRMTarget().__sklearn_tags__()
    assert not tags.target_tags.required
    assert not tags.requires_fit
    X = STFT.transform([np.ones(500)])
    assert IRMTarget().fit(X).fit_transform(X)[0].target is None


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"p": 0}, None, "IRMTarget: p must be above 0 and finite; got 0"),
        ({"v": -1.0}, None, r"IRMTarget: v must be above 0 and finite; got -1\.0"),
        ({"p": "0.7"}, None, "IRMTarget: p must be above 0 and finite; got '0.7'"),
        ({}, [np.ones((2, 400))], r"y\[0\] must have shape \(n_sources, 500\) or"),
    ],
)
def test_wrong_exponents_and_sources_are_refused(parameters, y, message):
    X = STFT.transform([np.ones(500)])
    with pytest.raises(ValueError, match=message):
        IRMTarget(**parameters).fit_transform(X, y)


def test_waveforms_are_refused():
    with pytest.raises(TypeError, match="Put STFTTransformer before IRMTarget"):
        IRMTarget().fit([np.ones(500)], [np.ones((2, 500))])
