"""
One separation, many scores
===========================

Every variant of BSS Eval gives the same estimate of the same voice another SDR. A score without
its variant therefore says little, and scores of different variants cannot be compared.
"""

# %%
# A separation to score
# ---------------------
# Ideal masks, computed from the true sources, separate as well as any mask can, without a network.
import argparse
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sksvs.datasets import load_mir1k, make_singing_mixtures
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import PROTOCOLS, Variant, score_tracks, si_sdr
from sksvs.transforms import STFTTransformer

parser = argparse.ArgumentParser(description="One separation, scored by every variant.")
parser.add_argument("--data", default="", help="folder of MIR-1K")
parser.add_argument("--songs", type=int, default=4, help="how many songs at most")
parser.add_argument("--seconds", type=float, default=8.0, help="length of a synthesised song")
arguments = parser.parse_args()

if arguments.data:
    X, y = load_mir1k(arguments.data, "dev", return_X_y=True)
    X, y = X[: arguments.songs], y[: arguments.songs]
else:
    X, y = make_singing_mixtures(arguments.songs, arguments.seconds, random_state=0)
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
