"""
Train on a folder of stems
==========================

A folder for each song, a file for each stem: `load_stems` makes training data of it, whatever the
format of the files and however many stems there are. The songs here are synthesised and written to
such a folder first.
"""

# %%
# Settings
# --------
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.pipeline import Pipeline

from sksvs.audio import write
from sksvs.datasets import load_stems, make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.estimators import GRUMaskSeparator
from sksvs.transforms import MonoDownmix, STFTTransformer

N_SONGS = 12
SECONDS = 6.0
EPOCHS = 25

# %%
# The folder
# ----------
# Songs called "Artist - Title" are grouped by artist. Here each artist has two songs.
STEMS = ("vocals", "drums", "bass", "other")
folder = TemporaryDirectory()
songs, y = make_singing_mixtures(N_SONGS, SECONDS, random_state=0, sources=STEMS)
for i, sources in enumerate(y):
    song = Path(folder.name) / f"Artist {i // 2 + 1} - Song {i % 2 + 1}"
    song.mkdir()
    for name, samples in zip(STEMS, sources):
        write(song / f"{name}.flac", samples, 16000)
    if i == 0:
        print(song.name, *sorted(path.name for path in song.iterdir()), sep="\n  ")

# %%
# From the folder to `X` and `y`
# ------------------------------
# Whatever is not the voice is summed into the accompaniment, and the mixture is the sum of all.
# Nothing is read yet: the samples are read while the network trains.
data = load_stems(folder.name)
print(data.DESCR.replace(folder.name, "<folder>"))
print("Mixture and sources of the first song:", data.X[0].shape, data.y[0].shape)

# %%
# Train, and hold out an artist
# -----------------------------
# A song of an artist who is in the training data is an easy test. So the last artist is held out
# and scored.
held_out = data.groups[-1]
train = [i for i, artist in enumerate(data.groups) if artist != held_out]
test = [i for i, artist in enumerate(data.groups) if artist == held_out]
separator = Pipeline(
    [
        ("mono", MonoDownmix()),
        ("stft", STFTTransformer(n_fft=1024, hop_length=512)),
        ("gru", GRUMaskSeparator(hidden_layer_sizes=(64,), max_iter=EPOCHS, random_state=0)),
    ]
)
separator.fit([data.X[i] for i in train], [data.y[i] for i in train])
X_test, y_test = [data.X[i] for i in test], [data.y[i] for i in test]
score = separator.score(X_test, y_test)
print(f"{held_out}: SDR {score.sdr:.2f}, SIR {score.sir:.2f}, SAR {score.sar:.2f} dB")

# %%
# Listen
# ------
# A song of the artist who was held out. A minute of training data and seconds of training make a
# voice that is better than the mixture, and far from clean.
display = SeparationDisplay.from_estimator(separator, X_test[:1], y_test[:1])
folder.cleanup()
display

# %%
# The picture
# -----------
figure = display.plot().figure_
