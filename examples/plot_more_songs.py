"""
Do more songs make a better voice?
==================================

The course report says that a network trained on more songs separates better. scikit-learn's
`learning_curve` measures this: it fits the same pipeline on more and more songs and scores
each fit on songs that are not among them.
"""

# %%
# Settings
# --------
# ``load_dsd100("DSD100", return_X_y=True)`` or another loader takes the place of the synthesised
# songs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.pipeline import Pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import sdr_scorer
from sksvs.transforms import MonoDownmix, STFTTransformer

N_SONGS = 16
SECONDS = 5.0
EPOCHS = 15
SHARES = (0.08, 0.3, 1.0)  # of the songs that are not scored

X, y = make_singing_mixtures(N_SONGS, SECONDS, random_state=0)

# %%
# The curve
# ---------
# All sizes have the same number of epochs, so more songs also mean more steps of the optimiser.
# Runs with more ``EPOCHS`` show how much of the gain comes from these steps.
separator = Pipeline(
    [
        ("mono", MonoDownmix()),
        ("stft", STFTTransformer()),
        (
            "gru",
            GRUMaskSeparator(
                hidden_layer_sizes=(32,), max_iter=EPOCHS, batch_size=4, random_state=0
            ),
        ),
    ]
)
n_scored = max(1, len(X) // 4)
n_train = len(X) - n_scored
sizes = sorted({max(1, round(n_train * share)) for share in SHARES})
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
plt.show()
