"""Measure the memory of fits, and whether it grows with the corpus or from fit to fit.

    python benchmarks/bench_memory.py

Writes a synthetic corpus of four-minute stereo songs at 44.1 kHz in the layout of DSD100, and
measures the peak memory of processes that fit the default network on 5 of them and on 50. Then one
process fits three architectures in turn, 30 fits in all, and prints by how much it has grown
since the first of each; another separates an hour of stereo from file to files.
"""

import argparse
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
from bench_separate_memory import Repeated, fitted, separation_peak
from memory import memory

from sksvs.estimators import GRUMaskSeparator


def main():
    """Run the measurements, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default="", help="folder of DSD100, instead of a synthetic one")
    parser.add_argument("--songs", type=int, nargs=2, default=(5, 50), metavar=("FEW", "MANY"))
    parser.add_argument("--minutes", type=float, default=4.0, help="length of a synthetic song")
    parser.add_argument(
        "--epochs", type=int, default=3, help="enough for XLA to compile the fit on few songs too"
    )
    parser.add_argument("--fits", type=int, default=30)
    parser.add_argument("--hour", type=float, default=60.0, help="minutes of the file to separate")
    arguments = parser.parse_args()
    few, many = arguments.songs
    with tempfile.TemporaryDirectory() as folder:
        corpus = arguments.corpus or folder
        if not arguments.corpus:
            write_corpus(folder, many, arguments.minutes)
        peaks = [in_process(fit_on, corpus, n, arguments.epochs) for n in (few, many)]
        for n_songs, peak in zip((few, many), peaks):
            print(f"peak memory of fit on {n_songs:>3} songs    {peak:>7.0f} MB")
        print(f"{many} songs against {few}           {100 * (peaks[1] / peaks[0] - 1):>+7.1f} %")
        grown = in_process(fit_again_and_again, arguments.fits)
        print(f"growth over {arguments.fits} fits              {grown:>7.0f} MB", flush=True)
        if arguments.hour:
            peak, _ = separation_peak(fitted(GRUMaskSeparator(max_iter=1)), arguments.hour)
            print(f"peak of separating {arguments.hour:.0f} minutes   {peak:>7.0f} MB")


def write_corpus(folder, n_songs, minutes):
    """Write songs in the layout of DSD100: 16-bit stereo WAV at 44.1 kHz, mixture and four stems.

    The songs repeat a few synthesised seconds, each from another starting point: only their length
    matters here.
    """
    from sksvs.audio import write
    from sksvs.datasets import make_singing_mixtures

    rate, n_samples = 44100, round(minutes * 60 * 44100)
    _, (song,) = make_singing_mixtures(1, 8.0, rate, n_channels=2, random_state=0)
    voice, music = song
    stems = {"vocals": voice, "bass": 0.5 * music, "drums": 0.3 * music, "other": 0.2 * music}
    for i in range(n_songs):
        name = f"{i:03d} - Artist - Song"
        for kind, parts in (("Sources", stems), ("Mixtures", {"mixture": song.sum(axis=0)})):
            path = Path(folder) / kind / "Dev" / name
            path.mkdir(parents=True, exist_ok=True)
            for part, samples in parts.items():
                repeated = Repeated(np.roll(samples, 10_000 * i, axis=0), n_samples)
                write(path / f"{part}.wav", repeated, rate, "PCM_16")


def in_process(function, *arguments):
    """Call a function in a new process and return its result."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def fit_on(corpus, n_songs, n_epochs):
    """Fit the default network on some songs; return the peak memory."""
    from sksvs.datasets import load_dsd100
    from sksvs.transforms import MonoDownmix, STFTTransformer

    X, y = load_dsd100(corpus, return_X_y=True)
    X, y = X[:n_songs], y[:n_songs]
    X = STFTTransformer().transform(MonoDownmix().transform(X))
    gru = GRUMaskSeparator(max_iter=n_epochs, random_state=0, verbose=True)
    gru.fit(X, y)
    return memory("VmHWM")


def fit_again_and_again(n_fits):
    """Fit three architectures in turn; return the growth of the process in MB since the third."""
    from sksvs.datasets import make_singing_mixtures
    from sksvs.transforms import STFTTransformer

    X, y = make_singing_mixtures(n_tracks=4, duration=4.0, random_state=0)
    X = STFTTransformer().transform(X)
    sizes = []
    for i in range(n_fits):
        layers = [(16,), (24, 24), (32,)][i % 3]
        GRUMaskSeparator(layers, max_iter=2, random_state=i).fit(X, y)
        sizes.append(memory("VmRSS"))
    print(f"  after fit 3: {sizes[2]:.0f} MB, after fit {n_fits}: {sizes[-1]:.0f} MB")
    return sizes[-1] - sizes[2]


if __name__ == "__main__":
    main()
