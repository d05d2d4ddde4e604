"""
Do more songs make a better voice?
==================================

The course report says that a network trained on more songs separates better. scikit-learn's
`learning_curve` measures this: it fits the same pipeline on more and more songs and scores
each fit on songs that are not among them.
"""

# %%
# The curve
# ---------
# All sizes have the same number of epochs, so more songs also mean more steps of the optimiser.
# Runs with other values of ``--epochs`` show how much of the gain comes from these steps.
import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.pipeline import Pipeline

from sksvs.datasets import load_dsd100, make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import sdr_scorer
from sksvs.transforms import MonoDownmix, STFTTransformer

parser = argparse.ArgumentParser(description="A learning curve over the number of songs.")
parser.add_argument("--data", default="", help="folder of DSD100")
parser.add_argument("--songs", type=int, default=22, help="how many songs at most")
parser.add_argument("--seconds", type=float, default=8.0, help="length of a synthesised song")
parser.add_argument("--epochs", type=int, default=20, help="epochs of every fit")
arguments = parser.parse_args()

if arguments.data:
    X, y = load_dsd100(arguments.data, "dev", return_X_y=True)
    X, y = X[: arguments.songs], y[: arguments.songs]
else:
    X, y = make_singing_mixtures(arguments.songs, arguments.seconds, random_state=0)

separator = Pipeline(
    [
        ("mono", MonoDownmix()),
        ("stft", STFTTransformer()),
        (
            "gru",
            GRUMaskSeparator(
                hidden_layer_sizes=(32,), max_iter=arguments.epochs, batch_size=4, random_state=0
            ),
        ),
    ]
)
n_scored = max(1, len(X) // 4)
n_train = len(X) - n_scored
sizes = sorted({max(1, round(n_train * share)) for share in (0.07, 0.15, 0.3, 0.6, 1.0)})
sizes, _, scores = learning_curve(
    separator,
    X,
    y,
    train_sizes=sizes,
    cv=ShuffleSplit(2, test_size=n_scored, random_state=0),
    scoring=sdr_scorer,
)
for size, folds in zip(sizes, scores):
    each = ", ".join(f"{fold:.2f}" for fold in folds)
    print(f"{size:>3} songs: SDR of the voice in unseen songs {folds.mean():.2f} dB ({each})")

# %%
# The picture
# -----------
figure, axis = plt.subplots(layout="constrained")
axis.plot(sizes, scores, "o", color="0.6")
axis.plot(sizes, np.mean(scores, axis=1), "o-")
axis.set(xscale="log", xlabel="training songs", ylabel="SDR of the voice, dB", title="unseen songs")
axis.set_xticks(sizes, sizes)
