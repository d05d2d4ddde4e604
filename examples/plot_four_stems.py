"""
Four stems instead of two
=========================

Voice and accompaniment are two sources. With four, a separator predicts four masks, and nothing
else changes: it is fitted, searched and played in the same way. Here the voice, the bass, the drums
and the chords of synthesised songs are separated, and a search chooses the size of the network.
"""

# %%
# Settings
# --------
# `Sources` gives the sources of a song their names, as the loaders of corpora do:
# ``load_dsd100("DSD100", sources=STEMS)``.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sksvs.audio import ArrayWaveform, Sources
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import bss_eval_scorer
from sksvs.transforms import STFTTransformer

STEMS = ("vocals", "bass", "drums", "other")
N_SONGS = 13
SECONDS = 4.0
EPOCHS = 30
SAMPLE_RATE = 8000

X, y = make_singing_mixtures(N_SONGS, SECONDS, SAMPLE_RATE, random_state=0, sources=STEMS)
X = [ArrayWaveform(x, SAMPLE_RATE) for x in X]
y = [Sources([ArrayWaveform(stem, SAMPLE_RATE) for stem in stems], STEMS) for stems in y]

# %%
# A search with the scores of every stem
# --------------------------------------
# ``bss_eval_scorer(sources="all")`` adds a column for every source, named after it. `refit` names
# the score that chooses; here the voice counts. An SDR below 0 dB means that an estimate has more
# error in it than source.
pipeline = Pipeline(
    [
        ("stft", STFTTransformer(n_fft=512, hop_length=256)),
        ("gru", GRUMaskSeparator(max_iter=EPOCHS, learning_rate_init=0.004, random_state=0)),
    ]
)
sizes = [(16,), (64,)]
search = GridSearchCV(
    pipeline,
    {"gru__hidden_layer_sizes": sizes},
    scoring=bss_eval_scorer(sources="all"),
    refit="sdr_vocals",
    cv=2,
)
search.fit(X[1:], y[1:])
sdrs = np.array([search.cv_results_[f"mean_test_sdr_{stem}"] for stem in STEMS])
print(f"{'SDR, dB':<12}" + "".join(f"{stem:>10}" for stem in STEMS))
for size, row in zip(sizes, sdrs.T):
    print(f"GRU {size!s:<8}" + "".join(f"{value:>10.2f}" for value in row))

# %%
# Listen
# ------
# A song that the search has not seen. The four estimates add up to it; **Mute** one to take it out.
display = SeparationDisplay.from_estimator(search, X[:1], y[:1])
display

# %%
# The scores as a picture
# -----------------------
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
for i, size in enumerate(sizes):
    axis.bar(np.arange(len(STEMS)) + 0.4 * i, sdrs[:, i], 0.38, label=f"GRU {size}")
axis.set_xticks(np.arange(len(STEMS)) + 0.2, STEMS)
axis.set_ylabel("SDR, dB")
axis.legend()
plt.show()
