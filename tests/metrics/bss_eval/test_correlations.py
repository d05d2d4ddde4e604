import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.metrics.bss_eval import correlations
from sksvs.metrics.bss_eval.correlations import correlate_ranges
from sksvs.metrics.bss_eval.signals import Signals
from tests.strategies import seeded_noise


def directly(references, signals, n_lags):
    """Return the inner products and energies by their definition; signals: (n_rows, n_samples)."""
    delayed = [
        [np.correlate(np.pad(y, (0, n_lags - 1)), x, "valid") for y in signals] for x in references
    ]
    return np.array(delayed), np.sum(signals**2, axis=1)


@settings(max_examples=40)
@given(
    n_samples=st.integers(1, 700),
    n_lags=st.integers(1, 40),
    block_length=st.sampled_from([1, 7, 101, 100_000]),
    piece_length=st.sampled_from([50, 1000]),
    hop=st.integers(1, 200),
    length=st.integers(1, 300),
    n_channels=st.integers(1, 2),
)
def test_every_range_has_the_correlations_of_its_own_samples(
    n_samples, n_lags, block_length, piece_length, hop, length, n_channels
):
    references = list(seeded_noise((2, n_samples, n_channels), seed=1))
    estimates = list(seeded_noise((1, n_samples, n_channels), seed=2))
    ranges = [(0, n_samples)]
    ranges += [(a, min(a + length, n_samples)) for a in range(0, n_samples, hop)]
    signals = Signals(references, estimates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correlations, "PIECE_LENGTH", piece_length)
        patch.setattr(correlations, "BLOCK_LENGTH", block_length)
        found = correlate_ranges(signals, ranges, n_lags)
    rows = np.concatenate([x.T for x in [*references, *estimates]])
    for got_by_lag, (a, b) in zip(found, ranges):
        expected = directly(rows[: 2 * n_channels, a:b], rows[:, a:b], n_lags)
        for got, want in zip(got_by_lag, expected):
            assert got == pytest.approx(want, abs=1e-10)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_number_of_threads_does_not_change_the_result(monkeypatch, threads):
    monkeypatch.setattr(correlations, "PIECE_LENGTH", 1000)
    signals = Signals(list(seeded_noise((2, 5000), seed=3)), [seeded_noise(5000, seed=4)])
    (expected,) = correlate_ranges(signals, [(0, 5000)], 16)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    (found,) = correlate_ranges(signals, [(0, 5000)], 16)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected))


def test_memory_is_bounded_by_four_threads_however_many_cores(monkeypatch):
    monkeypatch.setattr(correlations, "PIECE_LENGTH", 1000)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    signals = Signals(list(seeded_noise((2, 40_000), seed=3)), [seeded_noise(40_000, seed=4)])
    at_work, most = set(), []
    correlate = correlations._correlate

    def watched(*arguments):
        at_work.add(threading.get_ident())
        most.append(len(at_work))
        time.sleep(0.01)  # so that others start meanwhile
        try:
            return correlate(*arguments)
        finally:
            at_work.discard(threading.get_ident())

    monkeypatch.setattr(correlations, "_correlate", watched)
    correlate_ranges(signals, [(0, 40_000)], 16)
    assert 1 < max(most) <= 4
