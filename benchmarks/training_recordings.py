"""Load the recordings that the packaged networks are trained on, with their terms.

`data` is a folder with `index.tsv`, a table of files with their source, length in seconds and
terms; with the folders `voices` and `cc0_songs`, of whose files it tells; with `mir1k`; and with
`accompaniments.tsv`, a table of the files in the folder of accompaniments, by package.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from songs import open_stems

from sksvs.audio import ArrayWaveform, Sources
from sksvs.datasets import (
    load_mir1k,
    load_voices_and_accompaniments,
    make_singing_mixtures,
    resample_tracks,
)

SAMPLE_RATE = 44100  # Hz
LEVEL = 0.1  # RMS of every accompaniment
VOICE_GAIN = 0.5  # of voices over accompaniments: on records the voice is the softer one
VOICES = {"research voices": "voices/research", "free voices": "voices/free"}  # folders in `data`
SECONDS = 30.0  # of a track of voices and accompaniments
N_SYNTHESISED = 60  # tracks
HELD_OUT = "everythingisfree - Sodium"  # a song to score with
FREE_TERMS = ("CC0", "CC BY", "GPL")
NOT_FREE = "drascula-music"  # a package of accompaniments under a licence of its own


class Recording(NamedTuple):
    """A file of the training data."""

    path: Path
    source: str
    seconds: float
    terms: str

    @property
    def is_free(self):
        """Whether it is under CC0, CC BY(-SA) or the GPL."""
        return any(term in self.terms for term in FREE_TERMS) and "NC" not in self.terms


class Recordings:
    """The recordings at hand, by kind.

    Parameters
    ----------
    data, accompaniments, cache : path
    free : bool
        Whether only those under CC0, CC BY(-SA) or the GPL count.
    """

    def __init__(self, data, accompaniments, cache, free=False):
        self.data, self.cache, self.free = Path(data), Path(cache), free
        self.accompaniments_folder = Path(accompaniments)
        self.index = [
            Recording(self.data / row["file"], row["source"], float(row["seconds"]), row["terms"])
            for row in _rows(self.data / "index.tsv")
        ]
        self.accompaniments = []
        for row in _rows(self.data / "accompaniments.tsv"):
            path = self.accompaniments_folder / row["package"] / Path(row["file"]).name
            if path.exists() and not (free and row["package"] == NOT_FREE):
                facts = row["package"], float(row["seconds"]), row["terms"]
                self.accompaniments.append(Recording(path, *facts))

    def files(self, kind):
        """Return the files of a kind: a list of Recording."""
        if kind == "synthesised":
            seconds = SECONDS * N_SYNTHESISED
            return [Recording(Path("synthesised"), "synthesised by sksvs", seconds, "CC0 1.0")]
        if kind == "MIR-1K":
            clips = load_mir1k(self.data / "mir1k", "train")
            return [
                Recording(Path(name), "MIR-1K", x.n_samples / x.sample_rate, "research only")
                for name, x in zip(clips.names, clips.X)
            ]
        if kind == "free songs":
            songs = self._below("cc0_songs")
            return [song for song in songs if song.path.parent.name != HELD_OUT]
        return self._below(VOICES[kind]) + self.accompaniments

    def tracks(self, kind):
        """Return ``(X, y)`` of a kind: voices over accompaniments, songs, clips."""
        if kind == "synthesised":
            return _synthesised()
        if kind == "MIR-1K":
            clips = load_mir1k(self.data / "mir1k", "train", return_X_y=True)[1]
            return _tracks(_in_threads(_in_memory, clips))
        files = self.files(kind)
        if kind == "free songs":
            return _songs(*sorted({file.path.parent for file in files}))
        folder = VOICES[kind]
        voices, accompaniments = [self.data / folder], [self.accompaniments_folder]
        if self.free:
            voices = [file.path for file in self._below(folder)]
            packages = sorted(
                path for path in self.accompaniments_folder.iterdir() if path.is_dir()
            )
            accompaniments = [path for path in packages if path.name != NOT_FREE]
        seed = 0 if kind == "research voices" else 1
        return self._over_accompaniments(voices, accompaniments, seed)

    def _below(self, folder):
        found = [file for file in self.index if file.path.is_relative_to(self.data / folder)]
        return [file for file in found if file.is_free or not self.free]

    def _over_accompaniments(self, voices, accompaniments, seed):
        """Return tracks of voices over accompaniments that do not belong to them."""
        _, y = load_voices_and_accompaniments(
            voices,
            accompaniments,
            sample_rate=SAMPLE_RATE,
            duration=SECONDS,
            second_voice=0.1,
            cache_dir=self.cache,
            random_state=seed,
            return_X_y=True,
        )
        y = [Sources([voice.gain(VOICE_GAIN), accompaniment]) for voice, accompaniment in y]
        return [pair[0] + pair[1] for pair in y], y


def read_song(folder):
    """Return the voice and the accompaniment of a song, as mono waveforms in memory."""
    return _in_memory([stem.to_mono() for stem in open_stems(folder)])


def draw(X, y, hours, rng):
    """Draw tracks until they have so many hours: all of them before one comes again.

    Returns
    -------
    X, y : list
    """
    chosen, length = [], 0.0
    while length < hours:
        for i in rng.permutation(len(X)):
            if length < hours:
                chosen.append(i)
                length += X[i].n_samples / X[i].sample_rate / 3600
    return [X[i] for i in chosen], [y[i] for i in chosen]


def _rows(path):
    with open(path, encoding="utf-8") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def _songs(*folders):
    return _tracks(_in_threads(read_song, folders))


@cache
def _synthesised():
    drawn = Parallel(n_jobs=-1)(
        delayed(make_singing_mixtures)(1, SECONDS, SAMPLE_RATE, random_state=i)
        for i in range(N_SYNTHESISED)
    )
    pairs = [y[0] for _, y in drawn]
    return _tracks([ArrayWaveform(s, SAMPLE_RATE, "synthesised") for s in pair] for pair in pairs)


def _in_threads(function, items):
    return Parallel(n_jobs=4, prefer="threads")(delayed(function)(item) for item in items)


def _in_memory(sources):
    """Return the sources at the sample rate of the networks, as arrays."""
    n_samples = min(source.n_samples for source in sources)
    pair = Sources([source.time_slice(0, n_samples) for source in sources])
    [pair] = resample_tracks([pair[0] + pair[1]], [pair], SAMPLE_RATE)[1]
    return [ArrayWaveform(np.float32(s[:]), SAMPLE_RATE, s.name) for s in pair]


def _tracks(pairs):
    """Return tracks of pairs of waveforms, whose accompaniments have one level."""
    X, y = [], []
    for voice, accompaniment in pairs:
        rms = float(np.sqrt(np.mean(np.square(accompaniment[:], dtype=np.float64))))
        gain = LEVEL / (rms or 1.0)
        y.append(Sources([voice.gain(gain), accompaniment.gain(gain)]))
        X.append(y[-1][0] + y[-1][1])
    return X, y
