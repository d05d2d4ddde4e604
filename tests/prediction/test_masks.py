"""Prediction goes through a track once, in constant memory, and leaves nothing behind."""

import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sksvs.audio import Waveform
from sksvs.prediction import masks
from sksvs.system import threads
from sksvs.transforms import STFTTransformer
from tests.strategies import seeded_noise
from tests.tiny_separators import analysed


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


def blas_threads():
    return {x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"}


def wait_until_nothing_is_computed_ahead():
    """Wait without asking threadpoolctl, which finds out what it can set by setting it."""
    quiet, deadline = 0, time.monotonic() + 10
    while quiet < 20 and time.monotonic() < deadline:
        quiet = quiet + 1 if threads._n_users == 0 else 0
        time.sleep(0.01)


def test_a_track_that_is_left_halfway_leaves_the_products_their_threads(fitted):
    with threadpool_limits(2, "blas"):
        blocks = fitted.iter_blocks(analysed([Noise(100_000)]))
        next(blocks)
        wait_until_nothing_is_computed_ahead()
        assert blas_threads() == {2}
        blocks.close()
        assert blas_threads() == {2}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_forked_while_another_thread_separates_separates_too():
    code = """if True:
        import os, signal, threading
        import numpy as np
        from threadpoolctl import threadpool_info, threadpool_limits
        import sksvs

        def blas_threads():
            return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]

        pipeline, rng = sksvs.pretrained("voice"), np.random.default_rng(0)
        short, long = (rng.normal(size=n) for n in (16_000, 1_600_000))
        expected, before = pipeline.predict([short])[0], blas_threads()
        ends = threading.Event()

        def separate():
            while not ends.is_set():
                blocks = pipeline[-1].iter_blocks(pipeline[:-1].transform([long]))
                for _ in blocks:
                    started.set()
                    if ends.is_set():
                        break

        started = threading.Event()
        thread = threading.Thread(target=separate)
        thread.start()
        started.wait()
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                same = np.allclose(pipeline.predict([short])[0], expected, atol=1e-6)
                os._exit(0 if same and blas_threads() == before else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        ends.set()
        thread.join()
        print(blas_threads() == before)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=300
    )
    assert (done.stdout.split(), done.stderr) == (["0", "0", "0", "True"], "")


def test_blocks_have_fewer_frames_where_these_are_long():
    samples = seeded_noise(400_000, seed=1, scale=0.1)
    for n_fft, expected in ((1024, 512), (4096, 383)):
        (spectrogram,) = STFTTransformer(n_fft, 512).transform([samples])
        lengths = [block.frames.shape[-1] for block in masks.read_blocks(spectrogram)]
        assert set(lengths[:-1]) == {expected} and sum(lengths) == spectrogram.n_frames
