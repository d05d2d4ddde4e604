"""
How good can a mask be?
=======================

A separator that multiplies the mixture by masks cannot be better than the ideal mask, which is
computed from the true sources, and should not be worse than the mixture itself. `evaluate` scores
all three, so that a score has a lower and an upper bound beside it.
"""

# %%
# Settings
# --------
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.estimators import IdealMaskOracle
from sksvs.metrics import evaluate

NETWORK = "voice-mir1k"
N_SONGS = 4
SECONDS = 6.0
SAMPLE_RATE = 16000

X, y = make_singing_mixtures(N_SONGS, SECONDS, SAMPLE_RATE, random_state=0)
separator = sksvs.pretrained(NETWORK, sample_rate=SAMPLE_RATE)

# %%
# The scores and their bounds
# ---------------------------
# The oracle takes the place of the network in the pipeline, and masks the same spectra.
oracle = IdealMaskOracle()
evaluation = evaluate(separator, X, y, mixture=True, oracle=oracle, sample_rate=SAMPLE_RATE)
low, sdr, high = (evaluation.summary[f"{who}sdr_vocals"] for who in ("mixture_", "", "oracle_"))
print(f"SDR of the voice: mixture {low:.1f}, {NETWORK} {sdr:.1f}, ideal mask {high:.1f} dB")
print(f"The network goes {(sdr - low) / (high - low):.0%} of the way between the bounds.")

# %%
# A box and a point for each song, and the bounds as lines.
figure = evaluation.plot().figure_

# %%
# Listen to the bound
# -------------------
# The ideal mask leaves the phase of the mixture, and it cannot divide a bin in which both sources
# sound. **Solo** switches between the rows.
bound = Pipeline([*separator.steps[:-1], ("oracle", oracle)]).fit(X[:1], y[:1])
names = ["network", "ideal mask", "true voice"]
voices = [separator.predict(X[:1])[0][0], bound.predict(X[:1], sources=y[:1])[0][0], y[0][0]]
SeparationDisplay.from_estimates(
    X[0], voices, source_names=names, sample_rate=SAMPLE_RATE, alternatives=True
)
