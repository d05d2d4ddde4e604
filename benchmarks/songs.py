"""Score models on whole songs: SDR of the voice, and its level, song by song.

    python benchmarks/songs.py --dsd100 <DSD100, or an excerpt of it>
    python benchmarks/songs.py --dsd100 <DSD100> --models voice my_model.safetensors --weights 1 2.5
    python benchmarks/songs.py --dsd100 <DSD100> --models voice --bounds

"images" is the images SDR of BSS Eval version 3 over the whole song and all its channels, which is
10 log10(Σ s² / Σ (s - ŝ)²), the uSDR of the MDX challenges. "downmix" is the SDR of version 3 for
sources, with filters of 512 taps, of the downmix. "level" is the energy of the estimated voice over
that of the true one in dB where the singer sings: in seconds whose voice is at most 20 dB softer
than the loudest. The bounds are the unprocessed mixture and the ideal ratio mask (windows of 4096
samples), which is made from the true sources.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.audio import ArrayWaveform, AudioFile, Sources
from sksvs.datasets import load_dsd100
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import bss_eval_sources
from sksvs.transforms import STFTTransformer

SOURCES = ("vocals", "accompaniment")
RANGE = 20  # dB below the loudest second of the voice


def main():
    """Separate every song with every model and weight, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dsd100", required=True, help="folder of DSD100")
    parser.add_argument(
        "--models", nargs="+", default=["voice-free"], help="packaged names or files"
    )
    parser.add_argument(
        "--song", nargs="*", default=[], help="folders of vocals.*, accompaniment.*"
    )
    parser.add_argument("--weights", nargs="+", type=float, help="others_weight  [the model's own]")
    parser.add_argument("--bounds", action="store_true", help="also score the bounds")
    arguments = parser.parse_args()
    songs = [*load_songs(arguments.dsd100), *map(read_song, arguments.song)]
    for model in arguments.models:
        separator = load_model(model)
        if "mono" in separator.named_steps:  # stereo songs keep their channels
            separator.set_params(mono="passthrough")
        for weight in arguments.weights or [separator[-1].others_weight]:
            separator[-1].set_params(others_weight=weight)
            size = f"{separator[-1].count_params():,} parameters"
            work = f"{separator[-1].count_macs() / 1e6:.0f} MMAC/s"
            print(f"{model}, others_weight={weight:g}; {size}, {work}")
            print_rows(songs, [score(separator, x, y) for _, x, y in songs])
    if arguments.bounds:
        print("the unprocessed mixture")
        print_rows(songs, [compare(np.stack([x[:]] * 2), x, y) for _, x, y in songs])
        print("an ideal ratio mask")
        print_rows(songs, [compare(ideal(x, y), x, y) for _, x, y in songs])


def load_model(name):
    """Return the packaged model of this name, or else the model in the file of this name."""
    return sksvs.pretrained(name) if name in sksvs.pretrained_names() else sksvs.load(name)


def open_stems(folder):
    """Return the files of the voice and of the accompaniment in a folder."""
    return [AudioFile(next(iter(Path(folder).glob(f"{s}.*")))) for s in SOURCES]


def load_songs(dsd100):
    """Return the name, the mixture and the sources of every song."""
    subsets = [load_dsd100(dsd100, subset) for subset in ("dev", "test")]
    return [song for s in subsets for song in zip(s.names, s.X, s.y)]


def read_song(folder):
    """Return the name, the mixture and the sources of a song with stereo stems."""
    stems = open_stems(folder)
    n_samples = min(stem.n_samples for stem in stems)
    samples = [np.atleast_2d(stem[:n_samples].T).T * np.ones((1, 2)) for stem in stems]
    y = Sources([ArrayWaveform(np.float32(s), stems[0].sample_rate) for s in samples])
    return Path(folder).name, y[0] + y[1], y


def ideal(x, y):
    """Return the estimates of an ideal ratio mask."""
    stft, oracle = STFTTransformer(4096, 2048, "cosine"), IdealMaskOracle()
    return Pipeline([("stft", stft), ("oracle", oracle)]).fit([x], [y]).predict([x], sources=[y])[0]


def score(separator, x, y):
    """Return the images SDR of the voice of a song, its SDR in the downmix, and its level."""
    return compare(separator.predict([x])[0], x, y)


def compare(estimates, x, y):
    """Return the three scores of the estimates of a song."""
    sources = np.stack(list(map(np.asarray, y)))
    voice, estimate = sources[0], estimates[0]
    images = in_db(np.sum(voice**2), np.sum((voice - estimate) ** 2))
    if sources.ndim == 3:
        sources, estimates = sources.mean(axis=-1), estimates.mean(axis=-1)
    downmix = bss_eval_sources(sources, estimates).sdr[0]
    seconds = [energy_by_second(v, x.sample_rate) for v in (voice, estimate)]
    sung = seconds[0] > seconds[0].max() * 10 ** (-RANGE / 10)
    return images, downmix, in_db(seconds[1][sung].sum(), seconds[0][sung].sum())


def energy_by_second(samples, sample_rate):
    """Return the energy of every whole second, over all channels."""
    n = max(1, len(samples) // sample_rate)
    return np.array([np.sum(part**2) for part in np.array_split(samples, n)])


def in_db(power, reference):
    """Return a ratio of powers in dB."""
    return 10 * np.log10(power / reference)


def print_rows(songs, rows):
    """Print the scores of every song and their means."""
    print(f"{'':<42}  images downmix   level")
    for (name, *_), row in zip(songs, rows):
        print_row(name, row)
    print_row("mean", np.mean(rows, axis=0))


def print_row(name, row):
    """Print the scores of a song."""
    print(f"{name[:42]:<42}" + "".join(f"{x:>8.2f}" for x in row), flush=True)


if __name__ == "__main__":
    main()
