import warnings

import mir_eval
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.datasets import load_mir1k
from sksvs.metrics import bss_eval, nsdr
from tests.strategies import seeded_noise


def orthogonal_sources(n_samples=4096):
    """Return two tones that stay orthogonal, nearly, under 512-tap filters."""
    time = np.arange(n_samples)
    return np.stack([np.sin(2 * np.pi * 0.05 * time), np.sin(2 * np.pi * 0.21 * time)])


@settings(max_examples=10)
@given(decibel=st.floats(-3, 40), gain=st.sampled_from([1e-3, 1.0, 50.0]))
def test_leakage_of_an_orthogonal_source_is_the_sir_whatever_the_gain(decibel, gain):
    sources = seeded_noise((2, 30_000), seed=1)
    leak = 10 ** (-decibel / 20) * np.linalg.norm(sources[0]) / np.linalg.norm(sources[1])
    scores = bss_eval(sources, gain * np.stack([sources[0] + leak * sources[1], sources[1]]))
    # 512 taps find some of one noise in the other: 512 / 30,000 of its energy.
    assert scores.sir[0] == pytest.approx(decibel, abs=0.3)
    assert scores.sdr[0] == pytest.approx(decibel, abs=0.3)


def test_noise_of_known_energy_is_the_sar():
    sources = orthogonal_sources(16000)
    noise = seeded_noise(16000, seed=2, scale=0.01)
    scores = bss_eval(sources, sources + noise)
    expected = 10 * np.log10(np.sum(sources[0] ** 2) / np.sum(noise**2))
    assert scores.sar[0] == pytest.approx(expected, abs=0.5)
    assert scores.sir[0] > 30 + expected - 20


def test_a_filter_within_512_taps_is_no_distortion():
    sources = seeded_noise((2, 8000), seed=3)
    echo = scipy.signal.lfilter([1.0] + 300 * [0.0] + [0.5], 1.0, sources)
    assert (bss_eval(sources, echo).sdr > 15).all()


def test_no_permutation_is_searched_and_permuted_references_permute():
    sources = seeded_noise((2, 8000), seed=4)
    estimates = sources + 0.1 * seeded_noise((2, 8000), seed=5)
    right, swapped = bss_eval(sources, estimates), bss_eval(sources, estimates[::-1])
    both = bss_eval(sources[::-1], estimates[::-1])
    assert right.sdr.min() > 15
    assert swapped.sdr.max() < 0
    np.testing.assert_allclose(np.array(both)[:, ::-1], np.array(right), atol=1e-8)


def test_each_estimate_is_judged_by_itself():
    sources = seeded_noise((2, 8000), seed=6)
    estimates = sources + 0.1 * sources[::-1]
    alone = estimates.copy()
    alone[1] = np.nan
    scores = bss_eval(sources, alone)
    np.testing.assert_allclose(scores.sdr[0], bss_eval(sources, estimates).sdr[0], atol=1e-9)
    assert np.isnan([scores.sdr[1], scores.sir[1], scores.sar[1]]).all()


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_what_is_undefined_is_nan(value):
    sources = seeded_noise((2, 2000), seed=7)
    dead = sources.copy()
    dead[0] = value
    assert np.isnan(bss_eval(sources, dead).sdr).tolist() == [True, False]
    if value == 0:
        assert np.isnan(bss_eval(dead, sources)).all()
    else:
        with pytest.raises(ValueError, match="references must be finite"):
            bss_eval(dead, sources)


def test_nsdr_is_the_gain_over_the_mixture():
    sources = seeded_noise((2, 8000), seed=8)
    mixture = sources.sum(axis=0)
    np.testing.assert_allclose(nsdr(sources, [mixture, mixture], mixture), 0, atol=1e-9)
    better = nsdr(sources, sources + 0.1 * sources[::-1], mixture)
    np.testing.assert_allclose(better, 20, atol=0.5)


@pytest.mark.parametrize("shapes", [((2, 9), (2, 8)), ((9,), (9,)), ((2, 9, 2), (2, 9, 2))])
def test_shapes_must_be_mono_and_agree(shapes):
    with pytest.raises(ValueError, match=r"one shape \(n_sources, n_samples\)"):
        bss_eval(np.ones(shapes[0]), np.ones(shapes[1]))


def test_real_clips_score_as_mir_eval_says(mir1k_root):
    X, y = load_mir1k(mir1k_root, "dev", return_X_y=True)
    sources = np.asarray(y[0], dtype=np.float64)[:, :32000]
    estimates = np.stack([np.asarray(X[0], dtype=np.float64)[:32000]] * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        *expected, order = mir_eval.separation.bss_eval_sources(sources, estimates, False)
    np.testing.assert_allclose(bss_eval(sources, estimates), expected, atol=1e-6)
