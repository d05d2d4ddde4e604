"""
One separation, many scores
===========================

Every variant of BSS Eval gives the same estimate of the same voice another SDR. A score without
its variant therefore says little, and scores of different variants cannot be compared.
"""

# %%
# Settings
# --------
# The environment variable MIR1K may name a folder of MIR-1K, whose development clips then take the
# place of the synthesised songs.
import os
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sksvs.datasets import load_mir1k, make_singing_mixtures
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import PROTOCOLS, Variant, score_tracks, si_sdr
from sksvs.transforms import STFTTransformer

MIR1K = os.environ.get("MIR1K")
N_SONGS = 4
SECONDS = 8.0

if MIR1K:
    X, y = load_mir1k(MIR1K, "dev", return_X_y=True)
else:
    X, y = make_singing_mixtures(N_SONGS, SECONDS, random_state=0)

# %%
# A separation to score
# ---------------------
# Ideal masks, computed from the true sources, separate as well as any mask can, without a network.
oracle = make_pipeline(STFTTransformer(window="cosine"), IdealMaskOracle("binary")).fit(X, y)
tracks = list(zip(X, y, oracle.predict(X, sources=y)))

# %%
# All variants
# ------------
# The variants differ in what the estimate may do to the voice without counting as an error. Version
# 2 allows a gain, version 3 a filter of 512 taps. The variants for images (the later version 3, and
# version 4) allow nothing: a filtered voice is an error.
metrics = ("sdr", "sir", "sar")
variants = {
    "version 2, sources": Variant(images=False, filter_length=1),
    "version 3, sources": Variant(images=False),
    "version 3, images": Variant(images=True),
}
print(f"{'the voice, dB':<22}{'SDR':>8}{'SIR':>8}{'SAR':>8}")
all_scores = {}
for name, variant in variants.items():
    protocol = replace(PROTOCOLS["whole_tracks"], name=name, variant=variant, metrics=metrics)
    score = score_tracks(((f"{x}", np.asarray(s), e) for x, s, e in tracks), protocol)
    all_scores[name] = [score.sdr, score.sir, score.sar]
    print(f"{name:<22}" + "".join(f"{value:>8.2f}" for value in all_scores[name]))
mean_si_sdr = np.mean([si_sdr(np.asarray(s), e)[0] for _, s, e in tracks])
print(f"{'SI-SDR':<22}{mean_si_sdr:>8.2f}")

# %%
# How much is a decibel?
# ----------------------
# The share of error in the energy of an estimate, by SDR: each dB is about a fifth less error.
print(f"{'SDR, dB':>8}{'error':>8}")
for decibel in (0, 3, 5, 6, 7, 10, 20):
    print(f"{decibel:>8}{1 / (1 + 10 ** (decibel / 10)):>8.1%}")

places = np.arange(len(metrics))
for i, (name, values) in enumerate(all_scores.items()):
    plt.bar(places + 0.25 * (i - 1), values, 0.22, label=name)
plt.xticks(places, [metric.upper() for metric in metrics])
plt.ylabel("dB")
plt.title("One separation")
plt.legend()
plt.show()
