import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.metrics._correlations import correlate_ranges
from tests.strategies import seeded_noise


def directly(references, estimates, n_lags):
    """Return the three kinds of correlations by their definition."""
    both = [
        [np.correlate(np.pad(y, n_lags - 1), x, "valid") for y in references] for x in references
    ]
    forward = [
        [np.correlate(np.pad(y, (0, n_lags - 1)), x, "valid") for y in estimates]
        for x in references
    ]
    return np.array(both), np.array(forward), np.sum(estimates**2, axis=1)


@settings(max_examples=30)
@given(
    n_samples=st.integers(1, 700),
    n_lags=st.integers(1, 40),
    block_length=st.sampled_from([1, 101, 100_000]),
    hop=st.integers(1, 200),
    length=st.integers(1, 300),
)
def test_every_range_has_the_correlations_of_its_own_samples(
    n_samples, n_lags, block_length, hop, length
):
    references = seeded_noise((2, n_samples), seed=1)
    estimates = seeded_noise((3, n_samples), seed=2)
    starts = range(0, n_samples, hop)
    ranges = [(0, n_samples)] + [(a, min(a + length, n_samples)) for a in starts]
    found = correlate_ranges(
        lambda a, b: references[:, a:b],
        lambda a, b: estimates[:, a:b],
        ranges,
        n_lags,
        block_length,
    )
    for correlations, (a, b) in zip(found, ranges):
        expected = directly(references[:, a:b], estimates[:, a:b], n_lags)
        for got, want in zip(correlations, expected):
            assert got == pytest.approx(want, abs=1e-10)
