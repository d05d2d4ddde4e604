"""
The report's comparison in one grid search
==========================================

The course report (Tampere, SGN-24007) compared three networks by hand: (a) three GRU layers of 16
and a dense layer of 100, (b) two GRU layers, (c) a dense layer of 70. Here the comparison is one
``GridSearchCV`` with three scores. As in the report, networks are trained on the first half of
every song and scored on the second half.
"""

# %%
# Settings
# --------
# The environment variable DSD100 may name a folder of DSD100, whose development songs then take the
# place of the synthesised ones.
import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline

from sksvs.audio import to_mono
from sksvs.datasets import load_dsd100, make_singing_mixtures, split_tracks
from sksvs.estimators import report_network
from sksvs.metrics import bss_eval_scorer, bss_eval_sources
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer

DSD100 = os.environ.get("DSD100")
N_SONGS = 8
SECONDS = 8.0
EPOCHS = 50  # as in the report

if DSD100:
    X, y = load_dsd100(DSD100, "dev", return_X_y=True)
    X, y = X[:N_SONGS], y[:N_SONGS]
else:
    X, y = make_singing_mixtures(N_SONGS, SECONDS, random_state=0)

# %%
# Songs, cut in the middle
# ------------------------
# Each half becomes a track. `PredefinedSplit` tells the search which tracks are training data (-1)
# and which are scored (0).
X_first, X_second, y_first, y_second = split_tracks(X, y, fraction=0.5)
halves = PredefinedSplit([-1] * len(X_first) + [0] * len(X_second))

# %%
# The search
# ----------
# A whole step of a pipeline can be a parameter, and the report's networks are available by name.
# `bss_eval_scorer` returns three scores; `refit` names the one that selects the best network.
separator = Pipeline(
    [
        ("mono", MonoDownmix()),
        ("stft", STFTTransformer(n_fft=1024, hop_length=512, window="hamming")),
        ("irm", IRMTarget(p=0.7, v=1.0)),
        ("gru", report_network("a")),
    ]
)
names = ["a", "b", "c"]
networks = [report_network(n, max_iter=EPOCHS, random_state=0) for n in names]
search = GridSearchCV(separator, {"gru": networks}, scoring=bss_eval_scorer, refit="sdr", cv=halves)
search.fit(X_first + X_second, y_first + y_second)

# %%
# The table
# ---------
# The report's own scores are negative because its script cut the reference *samples* with a
# number of *frames*: 9,051 frames are 105 s of audio, but 9,051 samples are 0.2 s, so each
# estimate was compared with another moment of the song.
REPORTED = {"a": (-11.17, -0.21, -7.31), "b": (-11.36, -0.53, -7.50), "c": (-11.34, -0.27, -7.51)}
print(f"{'network':<9}{'parameters':>11}{'SDR':>8}{'SIR':>8}{'SAR':>8}   SDR/SIR/SAR in the report")
for i, (name, network) in enumerate(zip(names, networks)):
    sdr, sir, sar = (search.cv_results_[f"mean_test_{key}"][i] for key in ("sdr", "sir", "sar"))
    size = network.count_params(n_freqs=513)
    reported = " / ".join(f"{value:.2f}" for value in REPORTED[name])
    print(f"{name:<9}{size:>11,}{sdr:>8.2f}{sir:>8.2f}{sar:>8.2f}   {reported}")

# %%
# The report's mistake, repeated
# ------------------------------
# The estimates of the best network, compared with a reference that starts as many *samples* into
# the song as the first half has *frames*.
sources = np.stack([to_mono(source)[:] for source in y[0]])
(estimates,) = search.predict(X_second[:1])
n_samples, n_frames = estimates.shape[1], len(X_first[0]) // 512
aligned = bss_eval_sources(sources[:, len(X_first[0]) :], estimates)
misaligned = bss_eval_sources(sources[:, n_frames : n_frames + n_samples], estimates)
print("\nThe voice of the first song's second half, SDR / SIR / SAR in dB:")
for title, scores in (("aligned", aligned), ("misaligned as in the report", misaligned)):
    print(f"  {title:<28}" + " / ".join(f"{score[0]:.2f}" for score in scores[:3]))

# %%
# Has the training converged?
# ---------------------------
# The loss of the best network after every epoch.
figure, axis = plt.subplots(layout="constrained")
curve = search.best_estimator_[-1].loss_curve_
axis.plot(np.arange(1, len(curve) + 1), curve)
title = f"network ({names[search.best_index_]})"
axis.set(title=title, xlabel="epoch", ylabel="binary cross-entropy")
plt.show()
