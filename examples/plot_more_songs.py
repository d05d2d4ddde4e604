"""
Do more songs make a better voice?
==================================

The course report says that a network which has learnt from more songs separates better. That is
what scikit-learn's `learning_curve` measures: the same pipeline, fitted on more and more songs,
scored on songs that it has not seen.
"""

# %%
# The curve
# ---------
# The epochs are the same for every size, so more songs also mean more steps of the optimiser;
# ``--epochs`` shows how much of the gain that is.
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
n_learnt = len(X) - n_scored
sizes = sorted({max(1, round(n_learnt * share)) for share in (0.07, 0.15, 0.3, 0.6, 1.0)})
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
axis.set(
    xscale="log", xlabel="songs learnt from", ylabel="SDR of the voice, dB", title="unseen songs"
)
axis.set_xticks(sizes, sizes)
