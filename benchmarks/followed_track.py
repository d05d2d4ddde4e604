"""Follow one track through `fit` and `predict`: which files of the package it enters.

    python benchmarks/followed_track.py

Fits a small pipeline on a synthesised song twice and separates the song twice, and lists the files
that the second run of each enters (the first one also imports and traces), by `sys.setprofile`.
"""

import argparse
import sys
import threading
from pathlib import Path

from sklearn.pipeline import Pipeline

import sksvs
from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator
from sksvs.transforms import MonoDownmix, STFTTransformer

PACKAGE = Path(sksvs.__file__).parent


def main():
    """Print the files and how many they are."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    X, y = make_singing_mixtures(n_tracks=1, duration=1.0, random_state=0)
    pipeline = Pipeline(
        [
            ("mono", MonoDownmix()),
            ("stft", STFTTransformer()),
            ("gru", GRUMaskSeparator(hidden_layer_sizes=(4,), max_iter=1, random_state=0)),
        ]
    )
    for name, run in (
        ("fit", lambda: pipeline.fit(X, y)),
        ("predict", lambda: pipeline.predict(X)),
    ):
        run()
        files = entered(run)
        print(f"{name} enters {len(files)} files:")
        for path in files:
            print(f"    {path}")


def entered(run):
    """Return the files of the package whose functions are called, in the order of first calls."""
    files = {}

    def profile(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in path.parents:
            files.setdefault(path.relative_to(PACKAGE))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(files)


if __name__ == "__main__":
    main()
