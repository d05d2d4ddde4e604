import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sksvs.networks.filter_bank import FilterBankLayer, band_weights


@st.composite
def banks(draw):
    n_fine, n_coarse = draw(st.integers(1, 12)), draw(st.integers(0, 12))
    return draw(st.integers(n_fine + n_coarse, 80)), n_fine, n_coarse


@given(banks())
def test_the_weights_of_all_bands_sum_to_one_at_every_bin(bank):
    weights = band_weights(*bank)
    assert weights.shape == (bank[0], bank[1] + bank[2])
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


@given(banks())
def test_fine_bands_are_bins_and_every_band_has_a_bin_of_its_own(bank):
    weights = band_weights(*bank)
    n_fine = bank[1] if bank[2] else bank[1] - 1  # the last band reaches to the last bin
    np.testing.assert_array_equal(weights[:n_fine, :n_fine], np.eye(n_fine))
    peaks = weights.argmax(axis=0)
    assert np.all(np.diff(peaks) > 0) and np.all(weights.max(axis=0) == 1)


@given(banks())
def test_masks_that_are_the_same_in_all_bands_are_so_in_all_bins(bank):
    there, back = (FilterBankLayer("bank", kind, *bank) for kind in ("to_bands", "from_bands"))
    np.testing.assert_allclose(np.ones(bank[0]) @ there.matrix, 1, atol=1e-6)
    np.testing.assert_allclose(np.ones(back.n_bands) @ back.matrix, 1, atol=1e-6)


def test_coarse_bands_have_equal_distances_on_a_logarithmic_scale():
    peaks = band_weights(2049, 140, 96).argmax(axis=0)[140:]
    ratios = peaks[1:] / peaks[:-1]
    assert ratios.min() > 1.02 and ratios.max() < 1.04
