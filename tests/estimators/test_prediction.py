"""Prediction goes through a track once, in constant memory, and leaves nothing behind."""

import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from sksvs.waveform import Waveform
from tests.estimators.conftest import analysed
from tests.strategies import seeded_noise


class Noise(Waveform):
    """A waveform of any length that is made when it is read."""

    sample_rate, name = None, "noise"

    def __init__(self, n_samples):
        self.shape = (n_samples, 2)
        self.reads = []

    def _read(self, start, stop):
        self.reads.append((start, stop))
        return seeded_noise((stop - start, 2), seed=start, scale=0.1).astype(np.float32)


@pytest.mark.parametrize("shape", [(50,), (40_000,), (40_000, 2)])
def test_blocks_are_what_predict_gives(fitted, shape):
    spectrograms = analysed([seeded_noise(shape, seed=1)])
    (expected,) = fitted.predict(spectrograms)
    blocks = list(fitted.iter_blocks(spectrograms))
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected)


def test_blocks_are_those_of_one_track(fitted):
    spectrograms = analysed([np.ones(100), np.ones(100)])
    with pytest.raises(ValueError, match="iter_blocks separates one track; got 2"):
        fitted.iter_blocks(spectrograms)
    with pytest.raises(TypeError, match=r"X\[0\] must be a Spectrogram"):
        fitted.iter_blocks([np.ones(100)])


def test_memory_does_not_grow_with_the_length_of_a_track(fitted):
    peaks = []
    for n_samples in (800_000, 2_400_000):
        blocks = fitted.iter_blocks(analysed([Noise(n_samples)]))
        tracemalloc.start()
        assert sum(block.shape[1] for block in blocks) == n_samples
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_samples_are_read_once_for_the_level_and_once_for_all_the_rest(fitted):
    noise = Noise(300_000)
    fitted.predict(analysed([noise]))
    read = sum(stop - start for start, stop in noise.reads)
    assert read < 2.01 * 300_000


def test_a_track_that_is_left_halfway_leaves_the_products_their_threads(fitted):
    before = threadpool_info()
    blocks = fitted.iter_blocks(analysed([Noise(100_000)]))
    next(blocks)
    blocks.close()
    assert threadpool_info() == before
