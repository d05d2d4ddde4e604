"""Compare BSS Eval with mir_eval (version 3) and museval (version 4): time, memory, difference.

    python benchmarks/bench_bss_eval.py [--seconds 10 60 240]

The signals are two mono sources and two stereo images at 44.1 kHz. Each computation runs in a
process of its own; its memory beyond the inputs is the growth of the process's peak memory. The
ratios are theirs / ours, from one run. The last columns are parts of our time, measured by
themselves: the FFTs of all rows in one thread, all correlations (these FFTs included, in all
threads), and the Gram matrices.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.signal
from memory import memory, reset_peak
from peers import museval_metrics
from threadpoolctl import threadpool_limits

from sksvs.metrics import bss_eval_images, bss_eval_sources
from sksvs.metrics.bss_eval.correlations import correlate_ranges  # private: timed by itself
from sksvs.metrics.bss_eval.projections import GramMatrix  # private: timed by itself
from sksvs.metrics.bss_eval.signals import Signals  # private: input of the two above

RATE = 44100
CASES = [  # name, peer, channels, function here, function there
    (
        "version 3, two mono sources",
        "mir_eval",
        1,
        lambda r, e: bss_eval_sources(r[..., 0], e[..., 0]),
        lambda r, e: mir_eval_separation().bss_eval_sources(r[..., 0], e[..., 0], False),
    ),
    (
        "version 3, two stereo images",
        "mir_eval",
        2,
        lambda r, e: bss_eval_images(r, e),
        lambda r, e: mir_eval_separation().bss_eval_images(r, e, False),
    ),
    (
        "version 4, two mono sources",
        "museval",
        1,
        lambda r, e: bss_eval_images(r, e, RATE, framewise_filters=False),
        lambda r, e: museval_metrics().bss_eval(r, e, RATE, RATE),
    ),
    (
        "version 4, two stereo images",
        "museval",
        2,
        lambda r, e: bss_eval_images(r, e, RATE, framewise_filters=False),
        lambda r, e: museval_metrics().bss_eval(r, e, RATE, RATE),
    ),
]


def mir_eval_separation():
    """Return `mir_eval.separation`, without its deprecation warning."""
    warnings.simplefilter("ignore")
    from mir_eval import separation

    return separation


def make_signals(seconds, n_channels):
    """Return references and estimates, (2, 2, n_samples, n_channels), with a falling spectrum."""
    rng = np.random.default_rng(0)
    shape = (2, seconds * RATE, n_channels)
    references = scipy.signal.lfilter([1.0], [1.0, -0.9], rng.standard_normal(shape), axis=1)
    noise = rng.standard_normal(shape)
    return np.stack([references, references + 0.2 * references[::-1] + 0.3 * noise])


def measure(case, side, path):
    """Compute one case and print its time, its memory and its scores as JSON."""
    *_, ours, theirs = CASES[case]
    compute = ours if side == "ours" else theirs
    signals = np.load(path)
    compute(*signals[:, :, :2000])  # imports, first calls
    reset_peak()
    before = memory("VmHWM")
    started = time.perf_counter()
    scores = compute(*signals)
    taken = time.perf_counter() - started
    grown = memory("VmHWM") - before
    scores = [np.ravel(f).tolist() for f in scores]
    parts = time_parts(signals, CASES[case][1] == "museval") if side == "ours" else None
    print(json.dumps({"seconds": taken, "megabytes": grown, "scores": scores, "parts": parts}))


def time_parts(signals, framewise):
    """Return the seconds that the transforms, the correlations and the Gram matrices take.

    The transforms are one FFT for each block of each row, in one thread.
    """
    rows = Signals(*map(list, signals))
    ranges = [(0, rows.n_samples)]
    if framewise:
        ranges += [(a, a + RATE) for a in range(0, rows.n_samples - RATE + 1, RATE)]
    n_blocks = signals.size // (16 * 4096)
    blocks = np.ravel(signals)[: n_blocks * 16 * 4096].reshape(n_blocks, 16, 4096)
    times = [time.perf_counter()]
    for block in blocks:
        scipy.fft.rfft(block)
    times.append(time.perf_counter())
    delayed = correlate_ranges(rows, ranges, 512)[0].delayed
    times.append(time.perf_counter())
    with threadpool_limits(1, "blas"):
        for which in map(rows.reference_rows, (None, 0, 1)):
            GramMatrix(delayed[which, which])
    times.append(time.perf_counter())
    return np.diff(times).tolist()


def run(case, side, path):
    """Run one case in a process of its own."""
    command = [sys.executable, __file__, "--case", str(case), "--side", side, "--signals", path]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def largest_difference(ours, theirs):
    """Return the largest difference in dB where theirs are within 80 dB, without the order."""
    ours, theirs = (np.concatenate(scores[:-1]) for scores in (ours, theirs))
    judged = np.abs(theirs) <= 80
    return np.max(np.abs(ours[judged] - theirs[judged]))


def main():
    """Run all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 60, 240])
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--signals", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        measure(arguments.case, arguments.side, arguments.signals)
        return
    print(
        f"{'':<38}{'length':>7}{'ours':>8}{'theirs':>8}{'ratio':>7}{'ours':>8}{'theirs':>8}"
        f"{'ratio':>7}{'apart':>10}{'FFTs':>8}{'correl.':>8}{'Gram':>8}\n"
        f"{'':<38}{'s':>7}{'s':>8}{'s':>8}{'':>7}{'MB':>8}{'MB':>8}{'':>7}{'dB':>10}{'s':>8}{'s':>8}{'s':>8}"
    )
    for case, (name, peer, n_channels, *_) in enumerate(CASES):
        for seconds in arguments.seconds:
            with tempfile.TemporaryDirectory() as folder:
                path = str(Path(folder) / "signals.npy")
                np.save(path, make_signals(seconds, n_channels))
                ours, theirs = (run(case, side, path) for side in ("ours", "theirs"))
            apart = largest_difference(ours["scores"], theirs["scores"])
            print(
                f"{f'{name}, {peer}':<38}{seconds:>7}{ours['seconds']:>8.3f}"
                f"{theirs['seconds']:>8.2f}{theirs['seconds'] / ours['seconds']:>7.1f}"
                f"{ours['megabytes']:>8.0f}{theirs['megabytes']:>8.0f}"
                f"{theirs['megabytes'] / max(ours['megabytes'], 1):>7.1f}{apart:>10.0e}"
                + "".join(f"{part:>8.3f}" for part in ours["parts"]),
                flush=True,
            )


if __name__ == "__main__":
    main()
