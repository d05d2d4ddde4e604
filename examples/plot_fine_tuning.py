"""
Fine-tune a network on songs of another kind
============================================

A network separates best what is like its training data. To move it to songs of another kind, of
which there are few, training can go on from its weights: ``warm_start=True``. This example compares
that with a network trained on the few songs alone.
"""

# %%
# Settings
# --------
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sksvs.audio import resample
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.effects import vary_voice
from sksvs.estimators import GRUMaskSeparator
from sksvs.transforms import STFTTransformer

N_SONGS = 12  # to train the network on that is fine-tuned
N_NEW_SONGS = 3  # to fine-tune it on
SECONDS = 6.0
EPOCHS = 25
SAMPLE_RATE = 16000

# %%
# Songs of two kinds
# ------------------
# The new songs have higher voices, a quarter faster, with effects.


def to_new_kind(sources, seed):
    """Return a mixture and its sources with another kind of voice."""
    voice, accompaniment = sources
    voice = resample(voice, round(1.25 * SAMPLE_RATE), SAMPLE_RATE)
    voice = vary_voice(voice, SAMPLE_RATE, np.random.RandomState(seed))
    sources = np.stack([voice, accompaniment[: len(voice)]])
    return sources.sum(axis=0), sources


X, y = make_singing_mixtures(N_SONGS + 4, SECONDS, SAMPLE_RATE, random_state=0)
_, others = make_singing_mixtures(N_NEW_SONGS + 4, SECONDS, SAMPLE_RATE, random_state=1)
X_new, y_new = zip(*[to_new_kind(sources, seed) for seed, sources in enumerate(others)])
X_new, y_new = list(X_new), list(y_new)
old_test, new_test = (X[:4], y[:4]), (X_new[:4], y_new[:4])
few = X_new[4:], y_new[4:]

# %%
# Three networks
# --------------
# With ``warm_start=True``, `fit` goes on from the weights that are there, with a new optimiser. A
# lower learning rate keeps it from unlearning the songs that it was trained on. ``sksvs.load`` and
# ``sksvs.pretrained`` return fitted pipelines that can be continued in the same way.
gru = GRUMaskSeparator(hidden_layer_sizes=(64,), max_iter=EPOCHS, batch_size=4, random_state=0)
untrained = Pipeline([("stft", STFTTransformer(n_fft=1024, hop_length=512)), ("gru", gru)])
networks = {}
networks["old songs"] = clone(untrained).fit(X[4:], y[4:])
networks["few new songs"] = clone(untrained).fit(*few)
tuned = deepcopy(networks["old songs"])
tuned.set_params(gru__warm_start=True, gru__learning_rate_init=3e-4)
networks["old, then few new songs"] = tuned.fit(*few)

# %%
# The scores
# ----------
# Of songs that no network was trained on. The old songs can profit too, since the first training
# was short and the second one goes on with it.
print(f"{'SDR of the voice, dB':<26}{'new songs':>10}{'old songs':>11}")
scores = {}
for name, network in networks.items():
    scores[name] = network.score(*new_test).sdr, network.score(*old_test).sdr
    print(f"{name:<26}{scores[name][0]:>10.2f}{scores[name][1]:>11.2f}")

# %%
# Listen
# ------
# A new song by each network; **Solo** switches between them.
SeparationDisplay.from_estimates(
    new_test[0][0],
    [*(network.predict(new_test[0][:1])[0][0] for network in networks.values()), new_test[1][0][0]],
    source_names=[*networks, "true voice"],
    sample_rate=SAMPLE_RATE,
    alternatives=True,
)

# %%
# The scores as a picture
# -----------------------
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
for i, kind in enumerate(("new songs", "old songs")):
    axis.bar(np.arange(3) + 0.4 * i, [pair[i] for pair in scores.values()], 0.38, label=kind)
axis.set_xticks(np.arange(3) + 0.2, networks)
axis.set_ylabel("SDR of the voice, dB")
axis.legend()
plt.show()
