r"""Train a network of the package, score it, and put it into the package with its card.

    bash get_accompaniments.sh accompaniments
    python benchmarks/ship_networks.py voice --data <data> --accompaniments accompaniments \
        --mir1k <MIR-1K> --dsd100 <DSD100, or an excerpt of it>

The names are voice, voice-live and voice-free. A fit that is interrupted is resumed from its last
epoch, and one that is complete is only scored: so is what train_on_gpu.py has written to the folder
of ``--keep``. None of the songs that are scored is in the training data, whose file names are
written to benchmarks/training_files/<name>.txt.
Prints the scores for several weights of the accompaniment and of the side signal, and the card.
"""

import argparse
import datetime
import json
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import songs
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from training_recordings import HELD_OUT, SAMPLE_RATE, Recordings, draw

import sksvs
from sksvs.augmentation import Augmentation
from sksvs.datasets import load_mir1k
from sksvs.estimators import CRNSeparator
from sksvs.metrics import evaluate
from sksvs.transforms import STFTTransformer

MODELS = Path(sksvs.__file__).parent / "model_files" / "models"
LISTS = Path(__file__).parent / "training_files"
GRID = ((0.35, 0.5, 0.7, 1.0, 1.4, 2.0), (0.0, 0.5, 1.0))  # others_weight, side_weight
TRAINING = {
    "hidden_layer_sizes": (),
    "segment_frames": 96,
    "error_floor": 0.015,
    "augmentation": Augmentation(
        gain_db=7.0, remix=0.8, shift=0.5, speed=(0.35, 0.05), effects=0.5, drop=(0.03, 0.05)
    ),
    "mixed_precision": True,
    "cache_size": 1000,
    "random_state": 0,
    "verbose": True,
}
BEST = CRNSeparator(
    filter_bank=(140, 96),  # 11 Hz each up to 1.5 kHz
    conv_channels=(16, 32, 48, 72, 96),
    dual_path_sizes=((48, 96),) * 5,
    **TRAINING,
)
LIVE = CRNSeparator(
    filter_bank=(64, 64),  # 25 Hz each up to 1.6 kHz
    conv_channels=(16, 24, 36, 48, 72),
    dual_path_sizes=((32, 96),) * 3,
    bidirectional=False,
    **TRAINING | {"segment_frames": 192},
)
LONG_WINDOW = STFTTransformer(4096, 2048, "cosine", sample_rate=SAMPLE_RATE)
SHORT_WINDOW = STFTTransformer(1764, 882, "cosine", sample_rate=SAMPLE_RATE)  # 40 ms
ALL = {
    "research voices": 2.0,
    "free voices": 0.6,
    "free songs": 1.6,
    "MIR-1K": 1.0,
    "synthesised": 0.4,
}
WEIGHTS = {"others_weight": 0.7, "side_weight": 0.0}
FREE = {"free voices": 1.4, "free songs": 2.0, "synthesised": 0.6}


class Recipe(NamedTuple):
    """A network of the package, and its training data.

    `hours` are those of every kind of recordings in an epoch. `prediction` are the parameters that
    are best on songs, from the printed grid.
    """

    stft: STFTTransformer
    network: CRNSeparator
    hours: dict
    epochs: int
    licence: str
    prediction: dict


RECIPES = {
    "voice": Recipe(LONG_WINDOW, BEST, ALL, 6, "research only", WEIGHTS | {"others_weight": 0.5}),
    "voice-live": Recipe(SHORT_WINDOW, LIVE, ALL, 3, "research only", WEIGHTS),
    "voice-free": Recipe(LONG_WINDOW, BEST, FREE, 3, "CC-BY-SA-4.0 AND GPL-3.0-or-later", WEIGHTS),
}
LIMITS = (
    "Trained on one synth-pop band, karaoke, and solo voices over music of games. Choirs, rap, "
    "screams and voices that effects have changed beyond recognition are separated less well."
)


def main():
    """Train the network, score it, and write it with its card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", required=True, type=Path, help="see training_recordings.py")
    parser.add_argument("--accompaniments", required=True, type=Path)
    parser.add_argument("--mir1k", required=True, help="folder of MIR-1K")
    parser.add_argument("--dsd100", required=True, help="folder of DSD100")
    parser.add_argument("--keep", default="ship_kept", type=Path, help="for checkpoints and copies")
    arguments = parser.parse_args()
    name, recipe = arguments.name, RECIPES[arguments.name]
    recordings = Recordings(
        arguments.data,
        arguments.accompaniments,
        arguments.keep / "copies",
        free=recipe.licence != "research only",
    )
    fitted = arguments.keep / f"{name}.safetensors"
    if not fitted.exists():
        fit(recipe, recordings, arguments.keep / "checkpoints", fitted)
    pipeline, facts = sksvs.load(fitted, return_card=True)
    pipeline = with_16_bits(pipeline)
    tracks = songs.load_songs(arguments.dsd100)
    print_grid(pipeline, tracks)
    # As a fit of the recipe alone would have them: a user may go on from here.
    asked = recipe.network.get_params(deep=False)
    asked |= {"max_iter": recipe.epochs, "verbose": False}
    pipeline[-1].set_params(**asked | recipe.prediction)
    tracks.append(songs.read_song(arguments.data / "cc0_songs" / HELD_OUT))
    files = {file.path: file for kind in recipe.hours for file in recordings.files(kind)}.values()
    card = {
        "name": name,
        "separates": "singing voice and accompaniment, in this order",
        "licence": recipe.licence,
        "sources": sources(files),
        "training": facts["training"],
        "parameters": int(pipeline[-1].count_params()),
        "macs_per_second": round(pipeline[-1].count_macs()),
        "date": datetime.date.today().isoformat(),
        "limits": LIMITS,
        "scores": scores(pipeline, tracks, arguments.mir1k),
    }
    sksvs.save(pipeline, MODELS / f"{name}.safetensors", dtype="float16", card=card)
    write_list(LISTS / f"{name}.txt", ["/".join(file.path.parts[-2:]) for file in files])
    print(json.dumps(card, indent=2, ensure_ascii=False))


def write_list(path, names):
    """Write the names of the files that a network is trained on, a line each."""
    path.write_text("\n".join(sorted(set(names))) + "\n", encoding="utf-8")


def fit(recipe, recordings, checkpoints, path):
    """Train the network of a recipe and save it."""
    rng, X, y = np.random.RandomState(0), [], []
    for kind, hours in recipe.hours.items():
        drawn = draw(*recordings.tracks(kind), hours, rng)
        X += drawn[0]
        y += drawn[1]
    network = clone(recipe.network).set_params(max_iter=recipe.epochs, checkpoint_dir=checkpoints)
    pipeline = Pipeline([("stft", recipe.stft), ("network", network)])
    hours = sum(x.n_samples / x.sample_rate for x in X) / 3600
    print(f"{len(X)} tracks, {hours:.1f} h, {recipe.epochs} epochs", flush=True)
    start = time.monotonic()
    pipeline.fit(X, y)
    minutes = (time.monotonic() - start) / 60
    words = f"{recipe.epochs} epochs of {hours:.1f} h; {minutes:.0f} min on {os.cpu_count()} cores"
    print(words, flush=True)
    network.set_params(verbose=False, checkpoint_dir=None)
    sksvs.save(pipeline, path, card={"training": f"benchmarks/ship_networks.py: {words}"})


def with_16_bits(pipeline):
    """Return a pipeline whose weights have 16 bits, as in the package: what is scored."""
    with tempfile.TemporaryDirectory() as folder:
        sksvs.save(pipeline, Path(folder) / "model", dtype="float16")
        return sksvs.load(Path(folder) / "model")


def print_grid(pipeline, tracks):
    """Print the mean images SDR of the voice over the songs for every pair of weights."""
    print("mean images SDR, dB; others_weight" + "".join(f"{w:>7g}" for w in GRID[0]))
    for side in GRID[1]:
        means = []
        for weight in GRID[0]:
            pipeline[-1].set_params(others_weight=weight, side_weight=side)
            means.append(np.mean([songs.score(pipeline, *song[1:])[0] for song in tracks]))
        print(f"side_weight {side:<22g}" + "".join(f"{mean:>7.2f}" for mean in means), flush=True)


def scores(pipeline, tracks, mir1k):
    """Return the scores of the voice, song by song and on the clips of MIR-1K."""
    of_songs = {}
    for name, x, y in tracks:
        images, downmix, level = songs.score(pipeline, x, y)
        of_songs[name] = {
            "images SDR": round(float(images), 2),
            "SDR of the downmix": round(float(downmix), 2),
            "level where sung": round(float(level), 1),
        }
    row = evaluate(pipeline, *load_mir1k(mir1k, "dev", return_X_y=True), protocol="huang2014")
    of_clips = {
        f"G{m.upper()}": round(row.summary[f"{m}_vocals"], 2) for m in ("nsdr", "sir", "sar")
    }
    return {
        "songs, BSS Eval version 3": of_songs,
        "MIR-1K dev, 4 clips at 0 dB, BSS Eval version 3": of_clips,
    }


def sources(files):
    """Return the sources of the files with their terms and hours, for the card."""
    hours = {}
    for file in files:
        key = file.source, file.terms
        hours[key] = hours.get(key, 0.0) + file.seconds / 3600
    return [
        {"name": name, "terms": terms, "hours": round(length, 2)}
        for (name, terms), length in sorted(hours.items())
    ]


if __name__ == "__main__":
    main()
