"""
Separate a song
===============

One network of the package, one song, two files: the voice and the accompaniment. The song is
synthesised here, so that the page needs none; a path to one of your own takes its place.
"""

# %%
# Settings
# --------
# ``SONG`` may be any audio file or video. `sksvs.pretrained_names` lists the networks.
from pathlib import Path
from tempfile import TemporaryDirectory

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.separation import separate_file

SONG = None
SECONDS = 8.0  # of the synthesised song
NETWORK = "voice"

folder = TemporaryDirectory()
if SONG is None:
    SONG = Path(folder.name) / "song.flac"
    X, y = make_singing_mixtures(1, SECONDS, 44100, n_channels=2, random_state=0)
    write(SONG, X[0], 44100)

# %%
# From a file to files
# --------------------
# A trained network is a fitted scikit-learn pipeline. `separate_file` reads the song a block at a
# time, so an hour of it takes no more memory than a minute, and returns the paths of the stems.
separator = sksvs.pretrained(NETWORK)
stems = separate_file(separator, SONG, Path(folder.name) / "separated")
for stem in map(AudioFile, stems):
    print(f"{Path(stem.name).name:<20} {len(stem) / stem.sample_rate:.1f} s")

# %%
# Listen
# ------
# Both stems sound at first, and together they are the song. **Solo** plays one alone.
display = SeparationDisplay.from_estimates(AudioFile(SONG), [AudioFile(path) for path in stems])
folder.cleanup()
display

# %%
# The spectrograms, and below them the masks: the share of each frequency that went into a stem.
figure = display.plot().figure_
