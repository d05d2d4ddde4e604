import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.metrics import bss_eval_sources, si_sdr
from tests.strategies import seeded_noise


@given(st.floats(-40, 60), st.sampled_from([1e-6, 1.0, 1e6]), st.integers(0, 2))
def test_orthogonal_noise_of_known_energy_is_the_ratio(decibel, gain, n_channels):
    shape = (2, 500, n_channels) if n_channels else (2, 500)
    reference, noise = seeded_noise((2, *shape), seed=1)
    axes = tuple(range(1, noise.ndim))
    along = np.sum(noise * reference, axis=axes) / np.sum(reference**2, axis=axes)
    noise = noise - along.reshape(-1, *[1] * (noise.ndim - 1)) * reference
    level = np.sqrt(np.sum(reference**2, axis=axes) / np.sum(noise**2, axis=axes))
    noise = noise * (level * 10 ** (-decibel / 20)).reshape(-1, *[1] * (noise.ndim - 1))
    assert si_sdr(reference, gain * (reference + noise)) == pytest.approx(decibel, abs=1e-6)


def test_without_other_sources_it_is_the_sdr_of_gain_only_filters():
    reference, noise = seeded_noise((2, 1, 500), seed=2)
    expected = bss_eval_sources(reference, reference + noise, filter_length=1).sdr
    assert si_sdr(reference, reference + noise) == pytest.approx(expected)


def test_what_is_undefined_is_nan_for_its_source_alone():
    references = seeded_noise((3, 100), seed=3)
    estimates = references + 0.1 * seeded_noise((3, 100), seed=4)
    references[0], estimates[1] = 0, np.nan
    assert np.isnan(si_sdr(references, estimates)).tolist() == [True, True, False]
    assert np.isnan(si_sdr(references[2:], 0 * estimates[2:])).all()
    assert si_sdr(references[2:], 3 * references[2:]) == np.inf


def test_references_must_be_finite_and_shapes_agree():
    with pytest.raises(ValueError, match="references must be finite"):
        si_sdr(np.full((1, 9), np.inf), np.ones((1, 9)))
    with pytest.raises(ValueError, match=r"one shape \(n_sources, n_samples\[, n_channels\]\)"):
        si_sdr(np.ones((1, 9)), np.ones((1, 8)))
