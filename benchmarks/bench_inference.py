"""Time the separation of 44.1 kHz stereo, from file to files, beside open-unmix.

    python benchmarks/bench_inference.py

Writes a synthesised song (WAV, 16 bits) to a temporary folder and separates it with
``separate_file``, which decodes the file twice (once to measure its level), computes, and writes
two stems of 16 bits. All networks but the packaged one are hardly trained, because the time does
not depend on the weights. If torch and openunmix are installed, open-unmix's network for one target
takes turns on the same file, with its own STFT and inverse; soundfile writes voice and residual.
The first run of every separator is not counted, so start-up is left out. Prints the median and the
minimum of the seconds for a minute of audio.
"""

import argparse
import importlib
import importlib.util
import os
import sys
import tempfile
import time
import types
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.audio import write
from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import CRNSeparator, GRUMaskSeparator, report_network
from sksvs.separation import separate_file
from sksvs.transforms import MonoDownmix, STFTTransformer

SAMPLE_RATE = 44100


def main():
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=4.0, help="length of the song")
    parser.add_argument("--runs", type=int, default=7, help="runs of each, in turn")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        write_song(song, arguments.minutes)
        separators = {
            "report's network (a)": with_sksvs(report_network("a", max_iter=1)),
            "GRUMaskSeparator()": with_sksvs(GRUMaskSeparator(max_iter=1)),
            "CRNSeparator()": with_sksvs(CRNSeparator(max_iter=1)),
            "in the package": partial(separate_file, sksvs.pretrained("voice")),
        }
        peer = open_unmix()
        if peer is not None:
            separators["open-unmix, one target"] = peer
        seconds = {name: [] for name in separators}
        for run in range(arguments.runs + 1):
            for name, separate in separators.items():
                started = time.perf_counter()
                separate(song, Path(folder) / name)
                if run > 0:  # the first run includes start-up
                    seconds[name].append((time.perf_counter() - started) / arguments.minutes)
    cores = len(os.sched_getaffinity(0))
    print(
        f"Seconds a minute of 44.1 kHz stereo, file to files, a song of {arguments.minutes:g} "
        f"minutes, {cores} cores, {arguments.runs} runs."
    )
    print(f"{'separator':<26}{'median':>8}{'best':>8}{'times as fast as open-unmix':>30}")
    for name, of_runs in seconds.items():
        median, best = np.median(of_runs), min(of_runs)
        ratio = "-" if peer is None else f"{np.median(seconds[list(seconds)[-1]]) / median:.1f}"
        print(f"{name:<26}{median:>8.3f}{best:>8.3f}{ratio:>30}")
    if peer is None:
        print("torch and openunmix are not installed: no comparison.")


def write_song(path, minutes):
    """Write a stereo song of 16 bits."""
    (song,), _ = make_singing_mixtures(1, 30.0, SAMPLE_RATE, n_channels=2, random_state=0)
    n_samples = round(60 * minutes * SAMPLE_RATE)
    song = np.resize(0.7 * song / np.abs(song).max(), (n_samples, 2))
    write(path, song, SAMPLE_RATE, "PCM_16")


def with_sksvs(last):
    """Return a function that separates a file with a pipeline fitted for one epoch."""
    X, y = make_singing_mixtures(1, 1.0, SAMPLE_RATE, n_channels=2, random_state=0)
    pipeline = make_pipeline(MonoDownmix(), STFTTransformer(), last).fit(X, y)
    return lambda song, folder: separate_file(pipeline, song, folder)


def open_unmix():
    """Return a function that separates a file with open-unmix; None if it is not installed."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "openunmix")):
        return None
    import torch

    load_torchaudio()
    from openunmix.model import OpenUnmix, Separator

    torch.manual_seed(0)
    network = OpenUnmix(nb_bins=2049, nb_channels=2, hidden_size=512).eval()
    separator = Separator({"vocals": network}, n_fft=4096, n_hop=1024, nb_channels=2).eval()

    def separate(song, folder):
        folder.mkdir(exist_ok=True)
        samples, sample_rate = soundfile.read(song, dtype="float32")
        with torch.inference_mode():
            mixture = torch.from_numpy(np.ascontiguousarray(samples.T))[None]
            spectra = separator.stft(mixture)
            magnitudes = separator.complexnorm(spectra)
            mask = network(magnitudes) / (magnitudes + 1e-10)
            voice = separator.istft(spectra * mask[..., None], length=mixture.shape[-1])
            rest = mixture - voice
        for name, estimate in (("vocals", voice), ("residual", rest)):
            soundfile.write(folder / f"{name}.wav", estimate[0].T.numpy(), sample_rate, "PCM_16")

    return separate


def load_torchaudio():
    """Make ``import torchaudio`` succeed if it is missing or made for another torch.

    openunmix imports it to read and resample files, which its network does not need.
    """
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")


if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)  # of openunmix's own imports
    main()
