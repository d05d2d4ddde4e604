"""Compare training that reads audio files with training on waveforms in memory.

    python benchmarks/bench_input.py

Writes synthesised songs as 44.1 kHz stereo WAV files in the layout of DSD100, and times epochs of
the report's network (a), once with the files and once with arrays that hold the same samples.
Augmentation and analysis are the same, and nothing is cached between epochs. The two take turns;
the fastest epoch of each counts.
"""

import argparse
import tempfile
import time

import keras
import numpy as np
from bench_memory import write_corpus

from sksvs.audio import ArrayWaveform, Sources
from sksvs.augmentation import Augmentation
from sksvs.datasets import load_dsd100
from sksvs.estimators import report_network
from sksvs.transforms import MonoDownmix, STFTTransformer


def main():
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=2.0, help="length of a song")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(folder, arguments.songs, arguments.minutes)
        files = load_dsd100(folder, return_X_y=True)
        arrays = [decoded(x) for x in files[0]], [Sources(map(decoded, s)) for s in files[1]]
        print("seconds an epoch              files  memory  ratio")
        for name, augmentation in (
            ("as they are", None),
            ("gains, remixes and shifts", Augmentation(gain_db=6.0, remix=0.5, shift=0.5)),
        ):
            seconds = epoch_seconds([files, arrays], augmentation, arguments.rounds)
            print(f"{name:<28}{seconds[0]:>7.2f}{seconds[1]:>8.2f}{seconds[0] / seconds[1]:>7.2f}")


class EpochTimes(keras.callbacks.Callback):
    """Record the duration of every epoch but the first, in which TensorFlow traces the network."""

    def __init__(self):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stop the clock."""
        if epoch > 0:
            self.seconds.append(time.perf_counter() - self.started)


def decoded(waveform):
    """Return a waveform whose samples are in memory."""
    return ArrayWaveform(np.asarray(waveform), waveform.sample_rate, waveform.name)


def epoch_seconds(corpora, augmentation, n_rounds):
    """Return the seconds of an epoch on each corpus, the minimum over some rounds."""
    fits = []
    for X, y in corpora:
        stft = STFTTransformer().transform(MonoDownmix().transform(X))
        separator = report_network(
            "a", augmentation=augmentation, cache_size=0, max_iter=1, random_state=0
        )
        fits.append((separator, stft, y, EpochTimes()))
    for _ in range(n_rounds):
        for separator, spectrograms, y, times in fits:
            separator.set_params(max_iter=3, callbacks=[times]).fit(spectrograms, y)
    return [min(times.seconds) for *_, times in fits]


if __name__ == "__main__":
    main()
