"""Songs to train and test on: corpora and recordings on disk, synthesised songs, splits in time."""

from sksvs.datasets.corpus import detect_corpus, load_corpus
from sksvs.datasets.ikala import load_ikala
from sksvs.datasets.mir1k import load_mir1k
from sksvs.datasets.multitrack import load_dsd100, load_musdb18hq
from sksvs.datasets.resampling import resample_tracks
from sksvs.datasets.singing_mixtures import make_singing_mixtures
from sksvs.datasets.splitting import split_tracks
from sksvs.datasets.stems import load_stems
from sksvs.datasets.voices_and_accompaniments import load_voices_and_accompaniments

__all__ = [
    "detect_corpus",
    "load_corpus",
    "load_dsd100",
    "load_ikala",
    "load_mir1k",
    "load_musdb18hq",
    "load_stems",
    "load_voices_and_accompaniments",
    "make_singing_mixtures",
    "resample_tracks",
    "split_tracks",
]
