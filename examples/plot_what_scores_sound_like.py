"""
What do 3, 6 and 9 dB sound like?
=================================

SDR compares a voice with everything in an estimate that is not this voice. Two estimates of the
same SDR can sound unlike each other: with the accompaniment in the background (SIR says how much),
or free of it and damaged (SAR says how much). Here is one voice with known amounts of either.
"""

# %%
# Settings
# --------
import matplotlib.pyplot as plt
import numpy as np

from sksvs.audio import ArrayWaveform
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.metrics import bss_eval_sources
from sksvs.stft import Spectrogram, STFTParams

SDRS = (3, 6, 9)  # dB
SECONDS = 8.0
SAMPLE_RATE = 16000

(mixture,), (sources,) = make_singing_mixtures(1, SECONDS, SAMPLE_RATE, random_state=0)
voice, accompaniment = sources

# %%
# Two kinds of error
# ------------------
# Interference is the accompaniment itself. Artifacts are the errors of masks that are wrong here
# and there: every frame and frequency of the voice is multiplied by a random factor. Either error
# is scaled to lie so many decibels below the voice.
spectrogram = Spectrogram(ArrayWaveform(voice), STFTParams(1024, 256, "hann"))
factors = np.random.default_rng(0).uniform(-1, 1, spectrogram.shape)
errors = {"interference": accompaniment, "artifacts": spectrogram.istft(factors * spectrogram.stft)}


def add_error(error, sdr):
    """Return the voice plus an error whose energy is `sdr` dB below that of the voice."""
    error = error - (error @ voice) / (voice @ voice) * voice  # without what is the voice
    return voice + error * np.linalg.norm(voice) / np.linalg.norm(error) * 10 ** (-sdr / 20)


versions = {
    kind: {f"{kind}, {sdr} dB": add_error(error, sdr) for sdr in SDRS}
    for kind, error in errors.items()
}

# %%
# The scores
# ----------
# With interference, SIR is the score that is low; with artifacts, it is SAR. SDR is low in both.
# It can be a little higher than what was put in, since version 3 of BSS Eval allows a filter of 512
# samples.
scores = {}
print(f"{'the voice, dB':<22}{'SDR':>8}{'SIR':>8}{'SAR':>8}")
for name, version in (versions["interference"] | versions["artifacts"]).items():
    score = bss_eval_sources(sources, np.stack([version, mixture - version]))
    scores[name] = [score.sdr[0], score.sir[0], score.sar[0]]
    print(f"{name:<22}" + "".join(f"{value:>8.2f}" for value in scores[name]))

# %%
# Interference
# ------------
# **Play** starts the true voice; **Solo** of another row switches to it while the song goes on.
display = SeparationDisplay.from_estimates(
    mixture,
    [voice, *versions["interference"].values()],
    source_names=["true voice", *versions["interference"]],
    sample_rate=SAMPLE_RATE,
    alternatives=True,
)
display

# %%
# Artifacts
# ---------
# The same SDR without any accompaniment: the voice itself is rough.
display = SeparationDisplay.from_estimates(
    mixture,
    [voice, *versions["artifacts"].values()],
    source_names=["true voice", *versions["artifacts"]],
    sample_rate=SAMPLE_RATE,
    alternatives=True,
)
display

# %%
# The scores as a picture, cut off at 30 dB.
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for i, metric in enumerate(("SDR", "SIR", "SAR")):
    places = np.arange(len(scores)) + 0.27 * (i - 1)
    axis.bar(places, [min(30, values[i]) for values in scores.values()], 0.25, label=metric)
axis.set_xticks(range(len(scores)), [name.replace(", ", "\n") for name in scores])
axis.set_ylabel("dB")
axis.legend()
plt.show()
