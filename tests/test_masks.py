import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.masks import ideal_binary_mask, ideal_ratio_mask
from tests.strategies import magnitudes

exponents = st.sampled_from([0.3, 0.7, 1.0, 2.0, 5.0])
rules = st.one_of(
    st.just(ideal_binary_mask),
    st.builds(lambda p, v: lambda m: ideal_ratio_mask(m, p, v), exponents, exponents),
)


@given(magnitudes=magnitudes(), rule=rules)
def test_masks_lie_between_zero_and_one(magnitudes, rule):
    masks = rule(magnitudes)
    assert masks.shape == magnitudes.shape
    assert (masks >= 0).all()
    assert (masks <= 1).all()


@given(magnitudes=magnitudes(), p=exponents)
def test_ratio_masks_sum_to_one_silence_included_where_v_is_one(magnitudes, p):
    np.testing.assert_allclose(ideal_ratio_mask(magnitudes, p).sum(axis=0), 1, atol=1e-12)


@given(magnitudes=magnitudes())
def test_binary_masks_sum_to_one(magnitudes):
    np.testing.assert_array_equal(ideal_binary_mask(magnitudes).sum(axis=0), 1)


@given(magnitudes=magnitudes(), rule=rules, gain=st.sampled_from([1e-150, 1e-6, 3.0, 1e150]))
def test_masks_ignore_a_common_gain(magnitudes, rule, gain):
    np.testing.assert_allclose(rule(gain * magnitudes), rule(magnitudes), atol=1e-12)


@given(magnitudes=magnitudes(), p=exponents, v=exponents)
def test_ratio_masks_swap_with_their_sources(magnitudes, p, v):
    swapped = ideal_ratio_mask(magnitudes[::-1], p, v)
    np.testing.assert_allclose(swapped[::-1], ideal_ratio_mask(magnitudes, p, v), atol=1e-12)


@given(magnitudes=magnitudes(), p=exponents, v=exponents)
def test_v_is_a_power_of_the_share(magnitudes, p, v):
    share = ideal_ratio_mask(magnitudes, p, 1.0)
    np.testing.assert_allclose(ideal_ratio_mask(magnitudes, p, v), share**v, atol=1e-12)


@given(magnitudes=magnitudes(), rule=rules)
def test_masks_leave_their_input_as_it_was(magnitudes, rule):
    before = magnitudes.copy()
    rule(magnitudes)
    np.testing.assert_array_equal(magnitudes, before)


def test_known_shares():
    bins = np.array([[3.0, 1.0, 0.0, 0.0], [1.0, 1.0, 2.0, 0.0]])
    np.testing.assert_allclose(ideal_ratio_mask(bins, p=1)[0], [0.75, 0.5, 0, 0.5])
    np.testing.assert_allclose(ideal_ratio_mask(bins, p=2)[0], [0.9, 0.5, 0, 0.5])
    np.testing.assert_allclose(ideal_ratio_mask(bins, p=2, v=0.5)[0], np.sqrt([0.9, 0.5, 0, 0.5]))
    np.testing.assert_array_equal(ideal_binary_mask(bins)[0], [1, 0, 0, 0])


def test_two_equal_sources_at_v_two_sum_to_a_half():
    assert ideal_ratio_mask(np.ones((2, 1)), v=2.0).sum() == pytest.approx(0.5)


def test_many_silent_sources_share_equally():
    np.testing.assert_allclose(ideal_ratio_mask(np.zeros((4, 2)), v=2.0), 1 / 16)


def test_the_dtype_is_kept():
    assert ideal_ratio_mask(np.ones((2, 3), np.float32), 0.7).dtype == np.float32
    assert ideal_binary_mask(np.ones((2, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((np.ones((1, 3)),), ValueError, r"two sources or more; got \(1, 3\)"),
        ((np.ones((2, 3), complex),), TypeError, "floating point; got complex128"),
        ((-np.ones((2, 3)),), ValueError, "must not be negative or NaN"),
        ((np.full((2, 3), np.nan),), ValueError, "must not be negative or NaN"),
        ((np.ones((2, 3)), 0.0), ValueError, r"exponent p must be positive and finite; got 0\.0"),
        ((np.ones((2, 3)), 1.0, np.inf), ValueError, "exponent v must be positive"),
    ],
)
def test_what_has_no_mask_is_refused(args, error, message):
    with pytest.raises(error, match=message):
        ideal_ratio_mask(*args)
