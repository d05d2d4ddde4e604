"""Separators, songs and listings that the tests of separation share."""

import pytest
import soundfile
from sklearn.pipeline import make_pipeline

from sksvs.transforms import STFTTransformer
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks
from tests.tiny_separators import tiny_separator

NAMES = ["accompaniment", "vocals"]


def tiny_pipeline(first=(), last=None, y=None):
    X, sources = tiny_tracks(2)
    last = last or tiny_separator(max_iter=1, bidirectional=False)
    steps = [*first, STFTTransformer(n_fft=64, hop_length=32), last]
    return make_pipeline(*steps).fit(X, y or sources)


@pytest.fixture(scope="session")
def pipeline():
    return tiny_pipeline()


@pytest.fixture(scope="session")
def bidirectional():
    return tiny_pipeline(last=tiny_separator(max_iter=1, bidirectional=True))


def make_song(path, shape=(20_000, 2), subtype="FLOAT", seed=0):
    soundfile.write(path, seeded_noise(shape, seed, scale=0.1), SAMPLE_RATE, subtype)
    return path


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
