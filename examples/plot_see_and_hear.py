"""
Look at a separation and listen to it
=====================================

A display shows what a separator makes of a song: a player of all stems in a notebook and on this
page, a picture on request. The song is synthesised, so its true sources are known.
"""

# %%
# The settings: how long the song is, and which network separates it.
import sksvs
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay

SECONDS = 8.0
NETWORK = "voice-mir1k"

X, y = make_singing_mixtures(1, SECONDS, random_state=0)
separator = sksvs.pretrained(NETWORK, sample_rate=16000)

# %%
# The player
# ----------
# The two estimates sound at first. **Solo** plays one stem alone: compare the estimate of the voice
# with the true one, or with the mixture. A click on a spectrogram goes to another time. The bars
# are the SDR in windows of one second.
display = SeparationDisplay.from_estimator(separator, X, y)
display

# %%
# The picture
# -----------
# Estimates, true sources, masks, waveforms and scores have one time axis, and all spectrograms one
# scale of colours.
figure = display.plot().figure_

# %%
# What is shown is also there as numbers.
print("SDR of the voice by second:", *display.scores_[0].round(1))
