import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer, ideal_ratio_mask
from tests.strategies import seeded_noise

STFT = STFTTransformer(n_fft=64, hop_length=32)


@settings(max_examples=20)
@given(
    n_sources=st.integers(2, 4),
    n_channels=st.sampled_from([0, 2]),
    p=st.sampled_from([0.7, 1.0, 2.0]),
    v=st.sampled_from([0.5, 1.0, 2.0]),
    downmix=st.booleans(),
)
def test_the_target_is_the_mask_of_the_channel_means(n_sources, n_channels, p, v, downmix):
    shape = (n_sources, 500, n_channels) if n_channels else (n_sources, 500)
    sources = seeded_noise(shape, seed=n_sources)
    mixture = sources.sum(axis=0)
    X = STFT.transform(MonoDownmix().transform([mixture]) if downmix else [mixture])
    (x,) = IRMTarget(p, v).fit_transform(X, [sources])
    means = sources.mean(axis=2) if n_channels else sources
    magnitudes = np.stack([np.abs(s.stft) for s in STFT.transform(list(means))])
    expected = ideal_ratio_mask(magnitudes, p, v)
    assert x.target.n_sources == n_sources
    # From float32 spectra; a mask amplifies rounding where all sources are nearly silent.
    np.testing.assert_allclose(x.target.masks(0, x.n_frames), expected, atol=1e-3)
    np.testing.assert_allclose(x.target.masks(3, 6), expected[..., 3:6], atol=1e-3)


def test_transform_attaches_nothing_and_takes_off_what_there_is():
    sources = seeded_noise((2, 500), seed=0)
    X = STFT.transform([sources.sum(axis=0)])
    irm = IRMTarget().fit(X, [sources])
    assert irm.transform(X)[0].target is None
    with_target = irm.fit_transform(X, [sources])
    assert with_target[0].target is not None
    assert irm.transform(with_target)[0].target is None
    assert X[0].target is None


def test_targets_are_lazy_and_pickle_with_their_rule():
    sources = seeded_noise((2, 50_000), seed=0)
    with_target = IRMTarget(p=2.0).fit_transform(STFT.transform([sources.sum(axis=0)]), [sources])
    for again in (copy.deepcopy(with_target), pickle.loads(pickle.dumps(with_target))):
        np.testing.assert_array_equal(
            again[0].target.masks(5, 9), with_target[0].target.masks(5, 9)
        )


def test_it_says_that_it_needs_y_and_no_fit():
    tags = IRMTarget().__sklearn_tags__()
    assert tags.target_tags.required
    assert not tags.requires_fit


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"p": 0}, [np.ones((2, 500))], "IRMTarget: p must be positive and finite; got 0"),
        ({"v": -1.0}, [np.ones((2, 500))], r"IRMTarget: v must be positive and finite; got -1\.0"),
        ({"p": "0.7"}, [np.ones((2, 500))], "IRMTarget: p must be positive and finite; got '0.7'"),
        ({}, None, "y is needed"),
        ({}, [np.ones((2, 400))], r"y\[0\] must have shape \(n_sources, 500\) or"),
    ],
)
def test_wrong_targets_are_refused(parameters, y, message):
    X = STFT.transform([np.ones(500)])
    with pytest.raises(ValueError, match=message):
        IRMTarget(**parameters).fit_transform(X, y)


def test_waveforms_are_refused():
    with pytest.raises(TypeError, match="Put STFTTransformer before IRMTarget"):
        IRMTarget().fit([np.ones(500)], [np.ones((2, 500))])
