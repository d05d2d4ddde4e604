"""
What augmentation does to a song
================================

A network that is trained on few singers must separate many. `Augmentation` varies every segment of
every epoch at random: other speeds, effects, levels and partners. This page plays what some of
these parameters do to one song.
"""

# %%
# Settings
# --------
import numpy as np

from sksvs.audio import resample
from sksvs.augmentation import Augmentation
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.effects import limiter_gain, rms, vary_voice
from sksvs.estimators import GRUMaskSeparator

SECONDS = 6.0
SAMPLE_RATE = 16000

(mixture,), (sources,) = make_singing_mixtures(1, SECONDS, SAMPLE_RATE, random_state=1)
voice, accompaniment = sources


def play(versions):
    """Return a player of versions of one signal, of which one sounds at a time."""
    n_samples = min(map(len, versions.values()))
    return SeparationDisplay.from_estimates(
        mixture[:n_samples],
        [samples[:n_samples] for samples in versions.values()],
        source_names=list(versions),
        sample_rate=SAMPLE_RATE,
        alternatives=True,
    )


# %%
# Effects
# -------
# ``effects`` is the probability that a voice goes through an equaliser, a compressor, a second
# voice, echoes and reverberation, each at random settings or not at all. Here are four draws.
# **Solo** switches between the rows while the song goes on.
draws = {
    f"effects, draw {seed}": vary_voice(voice, SAMPLE_RATE, np.random.RandomState(seed))
    for seed in range(4)
}
play({"voice": voice, **draws})

# %%
# Speed
# -----
# ``speed`` resamples, which moves pitch and formants together: another singer, larger or smaller.
# With ``speed=(0.3, 0.0)`` a factor from 0.7 to 1.3 is drawn for the voice, and the accompaniment
# keeps its own.
speeds = (0.7, 0.85, 1.15, 1.3)
changed = {
    f"speed {speed}": resample(voice, round(speed * SAMPLE_RATE), SAMPLE_RATE) for speed in speeds
}
play({"voice": voice, **changed})

# %%
# Limiter
# -------
# ``limit`` is the probability of a limiter on the mixture, as in mastering, which lowers the
# highest peak by 3 to 12 dB. Its gains apply to every source, so the sources still add up.
gains = {decibels: limiter_gain(mixture, SAMPLE_RATE, decibels) for decibels in (3, 12)}
limited = {
    f"limited by {decibels} dB": mixture * gain * (rms(mixture) / rms(mixture * gain))
    for decibels, gain in gains.items()
}
play({"mixture as it is": mixture, **limited})

# %%
# The mixtures are equally loud (RMS), and their peaks are not:
for name, samples in {"mixture as it is": mixture, **limited}.items():
    print(f"{name:<18} RMS {rms(samples):.3f}, peak {np.abs(samples).max():.3f}")

# %%
# In a fit
# --------
# All of it is one parameter of a separator, and a search varies it like any other, as in
# ``GridSearchCV(separator, {"augmentation__effects": [0.0, 0.5]})``.
GRUMaskSeparator(
    augmentation=Augmentation(gain_db=6.0, remix=0.5, speed=(0.3, 0.0), effects=0.5, limit=0.3)
)
