"""A model file, a small corpus and a runner that the tests of the commands share."""

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.audio import write
from sksvs.cli import cli
from sksvs.estimators import MixtureBaseline
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks


@pytest.fixture
def run():
    """Return a function that runs a command with its arguments."""
    return lambda *arguments: CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """Return the path of a model that is loaded in no time: every stem is the mixture."""
    path = tmp_path_factory.mktemp("model") / "mixture.safetensors"
    steps = [MonoDownmix(), STFTTransformer(n_fft=64, hop_length=32), MixtureBaseline()]
    sksvs.save(make_pipeline(*steps).fit(*tiny_tracks(1)), path, card={"data": "none\x9b"})
    return path


@pytest.fixture(scope="session")
def dsd100(tmp_path_factory):
    """Return a folder laid out as DSD100, with two synthesised songs in each subset."""
    root = tmp_path_factory.mktemp("dsd100")
    X, y = tiny_tracks(4)
    for i, (mixture, sources) in enumerate(zip(X, y)):
        song = f"{('Dev', 'Test')[i % 2]}/{i} - artist {i} - title"
        stems = dict(zip(("vocals", "bass", "drums", "other"), sources[[0, 1, 1, 1]]))
        for stem in ("drums", "other"):
            stems[stem] = np.zeros_like(stems[stem])
        for folder, files in (("Mixtures", {"mixture": mixture}), ("Sources", stems)):
            (root / folder / song).mkdir(parents=True)
            for name, samples in files.items():
                write(root / folder / song / f"{name}.wav", samples, SAMPLE_RATE, "FLOAT")
    return root


@pytest.fixture
def song(tmp_path):
    """Return the path of a stereo song."""
    path = tmp_path / "song.wav"
    soundfile.write(path, seeded_noise((20_000, 2), 0, 0.1), SAMPLE_RATE, "PCM_16")
    return path
