"""
Separating while the music plays
================================

`StreamingSeparator` takes samples as they come from a microphone or a sound card, block by block,
and returns the voice and the accompaniment with a delay of one window. The network ``voice-live``
in the package is causal: it never waits for what is to come. Here a file stands for the microphone.
"""

# %%
# Settings
# --------
# Blocks are what a sound card delivers at a time. Give a path to a song of your own.
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.estimators import StreamingSeparator

SONG = None
SECONDS = 6.0
SAMPLE_RATE = 44100
BLOCK = 882  # samples: 20 ms

# %%
# A file as a microphone
# ----------------------
# Without a song of your own, one is synthesised.
folder = TemporaryDirectory()
if SONG is None:
    SONG = Path(folder.name) / "song.wav"
    X, _ = make_singing_mixtures(1, SECONDS, SAMPLE_RATE, n_channels=2, random_state=0)
    write(SONG, X[0], SAMPLE_RATE)
microphone = AudioFile(SONG)
n_samples = min(len(microphone), round(SECONDS * microphone.sample_rate))

# %%
# The stream
# ----------
# What comes out after a block belongs to samples that came in at most `latency` before its end.
stream = StreamingSeparator(sksvs.pretrained("voice-live"), sample_rate=microphone.sample_rate)
parts, seconds = [], []
for start in range(0, n_samples, BLOCK):
    block = microphone[start : min(start + BLOCK, n_samples)]
    began = time.perf_counter()
    parts.append(stream.process(block))
    seconds.append(time.perf_counter() - began)
parts.append(stream.flush())
voice, accompaniment = np.concatenate(parts, axis=1)

milliseconds = 1000 / microphone.sample_rate
print(f"A block:          {BLOCK * milliseconds:.0f} ms")
print(f"Latency:          {(stream.params.n_fft - 1) * milliseconds:.1f} ms at most")
print(f"Work for a block: {1000 * np.median(seconds):.1f} ms, median")

# %%
# The two stems add up to what the microphone heard.
difference = np.abs(voice + accompaniment - microphone[:n_samples]).max()
print(f"Largest difference between the sum of the stems and the input: {difference:.1e}")

# %%
# Listen
# ------
# The stems as they came out of the stream, without its delay.
display = SeparationDisplay.from_estimates(
    microphone[:n_samples], [voice, accompaniment], sample_rate=microphone.sample_rate
)
folder.cleanup()
display

# %%
# The time that each block took, beside the time that there is: what is above the line is too late.
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
axis.plot(1000 * np.array(seconds), ".", markersize=3)
axis.axhline(BLOCK * milliseconds, color="C3", label="length of a block")
axis.set(xlabel="block", ylabel="work, ms", yscale="log")
axis.legend()
plt.show()
