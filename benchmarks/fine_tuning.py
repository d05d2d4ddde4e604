"""Go on training a packaged network on some songs, and score it on others before and after.

    python benchmarks/fine_tuning.py --dsd100 <DSD100, or an excerpt of it>
    python benchmarks/fine_tuning.py --dsd100 <DSD100> --halves songs

The network is trained for some minutes on the first half of every song and scored on the second, or
on every other song and scored on the rest, in both directions: the uSDR of the voice, in dB.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import songs

import sksvs
from sksvs.cli.pipeline_to_fit import (  # private: the settings of `sksvs fit --start`
    pipeline_to_continue,
)
from sksvs.datasets import split_tracks
from sksvs.model_files.packaged import pretrained_path  # private: where packaged models are


def main():
    """Train on each half, and print the scores of the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dsd100", required=True, help="folder of DSD100")
    parser.add_argument("--model", default="voice-free", help="packaged name or file")
    parser.add_argument("--halves", default="time", choices=("time", "songs"))
    parser.add_argument("--hours", type=float, default=1.0, help="of training audio for each half")
    arguments = parser.parse_args()
    tracks = songs.load_songs(arguments.dsd100)
    halves = halves_of_songs(tracks) if arguments.halves == "time" else tracks_in_turn(tracks)
    print(f"{'':<42}  before   after    uSDR of the voice, dB")
    rows, seconds = [], 0.0
    for training, scored in halves:
        before = songs.load_model(arguments.model)
        started = time.monotonic()
        after = fine_tuned(arguments.model, training, arguments.hours)
        seconds += time.monotonic() - started
        for name, x, y in scored:
            rows.append([songs.score(separator, x, y)[0] for separator in (before, after)])
            songs.print_row(name, rows[-1])
    songs.print_row("mean", np.mean(rows, axis=0))
    print(f"{seconds / 60 / len(halves):.1f} minutes a fit, {arguments.hours:g} h of audio")


def halves_of_songs(tracks):
    """Return one pair: the first halves of all songs, and the second halves."""
    names, X, y = zip(*tracks)
    X_first, X_second, y_first, y_second = split_tracks(X, y, 0.5)
    return [(list(zip(names, X_first, y_first)), list(zip(names, X_second, y_second)))]


def tracks_in_turn(tracks):
    """Return two pairs: every other song and the rest, in both orders."""
    return [(tracks[::2], tracks[1::2]), (tracks[1::2], tracks[::2])]


def fine_tuned(model, tracks, hours):
    """Return the pipeline of a model after its network has gone on for so many hours of audio."""
    path = pretrained_path(model) if model in sksvs.pretrained_names() else Path(model)
    _, X, y = zip(*tracks)
    hours_of_epoch = sum(x.n_samples / x.sample_rate for x in X) / 3600
    settings = {"max_iter": max(1, round(hours / hours_of_epoch)), "random_state": 0}
    separator, _ = pipeline_to_continue(path, {}, dry_voices=False, pairs=True, **settings)
    return separator.fit(list(X), list(y))


if __name__ == "__main__":
    main()
