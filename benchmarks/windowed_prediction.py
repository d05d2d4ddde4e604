"""Compare the windowed prediction of a bidirectional network with a single pass.

    python benchmarks/windowed_prediction.py

Fits the default network on synthesised songs and separates a long one, in windows (like `predict`)
and in one pass over all frames. Prints the difference of the two voices and their scores.
"""

import argparse

import numpy as np
from sklearn.pipeline import make_pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import bss_eval_sources
from sksvs.prediction import masks  # private: the windows cannot be switched off otherwise
from sksvs.transforms import STFTTransformer


def main():
    """Run the comparison."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    X, y = make_singing_mixtures(n_tracks=20, duration=10.0, random_state=0)
    gru = GRUMaskSeparator(max_iter=30, random_state=0)
    separator = make_pipeline(STFTTransformer(), gru).fit(X, y)
    (song,), (sources,) = make_singing_mixtures(n_tracks=1, duration=120.0, random_state=1)
    n_frames = STFTTransformer().transform([song])[0].n_frames
    (windowed,) = separator.predict([song])
    print(
        f"A song of {n_frames} frames in windows of {masks.WINDOW_FRAMES} with "
        f"{masks.CONTEXT_FRAMES} frames of context on either side."
    )
    masks.WINDOW_FRAMES, masks.WINDOW_BINS = n_frames, n_frames * STFTTransformer().n_fft
    (whole,) = separator.predict([song])
    difference = np.sum((windowed[0] - whole[0]) ** 2) / np.sum(whole[0] ** 2)
    print(f"Difference of the voices: {10 * np.log10(difference):.1f} dB against the voice.")
    for name, estimates in (("in windows", windowed), ("in one pass", whole)):
        print(f"SDR of the voice {name}: {bss_eval_sources(sources, estimates).sdr[0]:.3f} dB.")


if __name__ == "__main__":
    main()
