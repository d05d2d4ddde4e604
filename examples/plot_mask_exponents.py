"""
Which mask should a network learn?
==================================

The ideal ratio mask ``(|S_j|^p / Σ_k |S_k|^p)^v`` has two exponents. The network of the course
report predicts the mask with p = 0.7; the Wiener filter has p = 2. This example computes the masks
from the true sources and scores them, so it shows the best that a network can reach with each
pair of exponents. Masks with less interference (higher SIR) have more artifacts (lower SAR).
"""

# %%
# Settings
# --------
# ``load_dsd100("DSD100", return_X_y=True)`` or another loader takes the place of the synthesised
# songs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import IdealMaskOracle, MixtureBaseline
from sksvs.transforms import MonoDownmix, STFTTransformer

N_SONGS = 3
SECONDS = 6.0
grid = {"oracle__p": [0.5, 0.7, 1.0, 2.0, 4.0], "oracle__v": [0.5, 1.0, 2.0]}

X, y = make_singing_mixtures(N_SONGS, SECONDS, random_state=0)

# %%
# The oracle as an estimator
# --------------------------
# `IdealMaskOracle` has the interface of a separator, and its `score` computes the masks from `y`.
# The tools that compare separators compare its parameters, too.
oracle = Pipeline(
    [("mono", MonoDownmix()), ("stft", STFTTransformer()), ("oracle", IdealMaskOracle())]
)
scores = {}
for parameters in ParameterGrid(grid):
    score = oracle.set_params(**parameters).fit(X, y).score(X, y)
    scores[parameters["oracle__p"], parameters["oracle__v"]] = score
binary = oracle.set_params(oracle=IdealMaskOracle("binary")).fit(X, y).score(X, y)
mixture = oracle.set_params(oracle=MixtureBaseline()).fit(X, y).score(X, y)

# %%
# The table
# ---------
print(f"{'mask':<24}{'SDR':>8}{'SIR':>8}{'SAR':>8}   (the voice, dB)")
for (p, v), score in scores.items():
    print(f"{f'ratio, p = {p}, v = {v}':<24}{score.sdr:>8.2f}{score.sir:>8.2f}{score.sar:>8.2f}")
for name, score in (("binary", binary), ("none: the mixture", mixture)):
    print(f"{name:<24}{score.sdr:>8.2f}{score.sir:>8.2f}{score.sar:>8.2f}")

# %%
# The picture
# -----------
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True, layout="constrained")
for axis, key in zip(axes, ("sdr", "sir", "sar")):
    values = np.array(
        [[getattr(scores[p, v], key) for p in grid["oracle__p"]] for v in grid["oracle__v"]]
    )
    image = axis.imshow(values, aspect="auto", origin="lower")
    axis.set_xticks(range(len(grid["oracle__p"])), grid["oracle__p"])
    axis.set_yticks(range(len(grid["oracle__v"])), grid["oracle__v"])
    axis.set(title=f"{key.upper()}, dB", xlabel="p")
    figure.colorbar(image, ax=axis)
axes[0].set_ylabel("v")
plt.show()
