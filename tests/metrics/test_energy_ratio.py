import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.metrics import usdr
from tests.strategies import seeded_noise


@given(st.integers(1, 3), st.integers(0, 2), st.integers(3, 400), st.floats(-30, 30))
def test_it_is_the_formula_of_the_music_demixing_challenge(n_sources, n_channels, n, error_db):
    shape = (n_sources, n, n_channels) if n_channels else (n_sources, n)
    references, noise = seeded_noise((2, *shape), seed=n)
    estimates = references + noise * 10 ** (error_db / 20)
    axes = tuple(range(1, len(shape)))
    energies = [
        np.sum(np.square(x), axis=axes) + 1e-7 for x in (references, references - estimates)
    ]
    expected = 10 * np.log10(energies[0] / energies[1])
    np.testing.assert_allclose(usdr(references, estimates), expected, atol=1e-9)


@given(st.floats(0.1, 1e3), st.booleans())
def test_a_common_gain_and_swapped_channels_change_nothing(gain, negative):
    references, noise = seeded_noise((2, 2, 300, 2), seed=1)
    found = usdr(references, references + noise)
    scale = -gain if negative else gain
    again = usdr(scale * references[..., ::-1], scale * (references + noise)[..., ::-1])
    np.testing.assert_allclose(again, found, atol=1e-5)


def test_silence_of_the_estimate_has_0_db_and_perfection_is_bounded_by_delta():
    references = seeded_noise((2, 1000), seed=2)
    assert usdr(references, 0 * references) == pytest.approx(0)
    energies = np.sum(references**2, axis=1)
    assert usdr(references, references) == pytest.approx(10 * np.log10(energies / 1e-7))


def test_what_is_undefined_is_nan_for_its_source_alone():
    references = seeded_noise((3, 100), seed=3)
    estimates = references + 0.1
    references[0], estimates[1, 5] = 0, np.inf
    assert np.isnan(usdr(references, estimates)).tolist() == [True, True, False]


def test_neither_argument_is_changed_and_float32_is_summed_in_float64():
    references = seeded_noise((1, 2_000_000), seed=4).astype(np.float32)
    estimates = 0.9 * references
    copies = references.copy(), estimates.copy()
    assert usdr(references, estimates) == pytest.approx(20, abs=1e-5)
    np.testing.assert_array_equal(references, copies[0])
    np.testing.assert_array_equal(estimates, copies[1])


def test_references_must_be_finite_and_shapes_agree():
    with pytest.raises(ValueError, match="references must be finite"):
        usdr(np.full((1, 9), np.nan), np.ones((1, 9)))
    with pytest.raises(ValueError, match=r"one shape \(n_sources, n_samples\[, n_channels\]\)"):
        usdr(np.ones((1, 9)), np.ones((1, 8)))
