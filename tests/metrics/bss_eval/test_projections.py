import numpy as np
import pytest
import scipy.signal

from sksvs.metrics.bss_eval.correlations import correlate_ranges
from sksvs.metrics.bss_eval.projections import Combination, GramMatrix, energies
from sksvs.metrics.bss_eval.signals import Signals
from tests.strategies import seeded_noise


def correlated(references, estimates, n_lags):
    """Return the signals and their correlations over the whole length."""
    signals = Signals(list(references), list(estimates))
    (correlations,) = correlate_ranges(signals, [(0, signals.n_samples)], n_lags)
    return signals, correlations


def filters_of(references, estimate, n_lags):
    """Return least-squares filters (n_rows, n_lags) to a mono estimate."""
    _, (delayed, _) = correlated(references, [estimate], n_lags)
    n_rows = len(references)
    return GramMatrix(delayed[:, :n_rows]).filters(delayed[:, n_rows:])[:, 0]


def test_filters_are_found_again():
    references = seeded_noise((2, 900), seed=1) * [[1.0], [1e-4]]
    true_filters = seeded_noise((2, 12), seed=2)
    estimate = sum(np.convolve(s, f)[:900] for s, f in zip(references, true_filters))
    padded = np.pad(references, ((0, 0), (0, 11)))  # nothing is cut off at the end
    estimate = sum(np.convolve(s, f)[:911] for s, f in zip(padded, true_filters))
    assert filters_of(padded, estimate, 12) == pytest.approx(true_filters, abs=1e-8)


@pytest.mark.parametrize(
    "references",
    [
        np.stack([seeded_noise(500, seed=3)] * 2),
        np.stack([seeded_noise(500, seed=3), 1e-7 * np.roll(seeded_noise(500, seed=3), 1)]),
        np.stack([seeded_noise(500, seed=3), np.zeros(500)]),
        seeded_noise((3, 7), seed=3),
    ],
    ids=["copies", "a delayed copy", "a silent one", "shorter than the filter"],
)
def test_references_that_cannot_be_told_apart_are_projected_on(references):
    estimate = references[0] + 0.1 * np.roll(references[0], 2)
    filters = filters_of(references, estimate, 20)
    made = sum(np.convolve(s, f)[: len(estimate)] for s, f in zip(references, filters))
    assert np.isfinite(filters).all()
    assert made == pytest.approx(estimate, abs=0.2)  # the roll wraps two samples round


@pytest.mark.parametrize("scale", [1.0, 1e-9], ids=["as it is", "nearly cancelled"])
def test_energies_are_those_of_the_filtered_signals(scale):
    references, noise = seeded_noise((2, 700), seed=4), seeded_noise(700, seed=5)
    filters = seeded_noise((2, 1, 9), seed=6)
    passed = sum(np.convolve(s, f[0]) for s, f in zip(references, filters))
    # The estimate is the opposite of what is added to it, but for `scale` times noise.
    estimate = scale * noise - passed[:700]
    signals, correlations = correlated(references, [estimate], 9)
    combination = Combination(1.0, slice(2, 3), slice(0, 2), filters)
    (found,) = energies(combination, signals, [(0, 700)], [correlations])
    expected = np.sum((passed + np.pad(estimate, (0, 8))) ** 2)
    assert found == pytest.approx(expected, rel=1e-7)


def test_windows_are_taken_out_of_their_track():
    references, filters = seeded_noise((1, 400), seed=7), seeded_noise((1, 1, 5), seed=8)
    signals = Signals(list(references), list(references))
    ranges = [(0, 150), (100, 400)]
    combination = Combination(0.0, slice(1, 2), slice(0, 1), filters)
    found = energies(combination, signals, ranges, correlate_ranges(signals, ranges, 5))
    expected = [
        np.sum(scipy.signal.convolve(references[0, a:b], filters[0, 0]) ** 2) for a, b in ranges
    ]
    assert found == pytest.approx(expected)
