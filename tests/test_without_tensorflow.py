"""Separating, scoring, loading and predicting work where TensorFlow cannot be imported."""

import subprocess
import sys

import numpy as np
import pytest

from sksvs.audio import write
from tests.strategies import SAMPLE_RATE, seeded_noise

WITHOUT = """if True:
    import importlib.abc, sys

    class Blocked(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name.partition(".")[0] in ("tensorflow", "keras"):
                raise ImportError(f"{name} is not installed")

    sys.meta_path.insert(0, Blocked())
"""


def run(code, folder, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT + code, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "song.wav", seeded_noise((2 * SAMPLE_RATE, 2), 0, 0.1), SAMPLE_RATE)
    return tmp_path


def test_songs_are_separated(folder):
    done = run("    from sksvs.cli import main; main()", folder, "separate", "song.wav")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith("The network voice-free is under CC-BY-SA-4.0")
    assert len(done.stdout.splitlines()) == 2


def test_models_are_loaded_saved_scored_and_exported(folder):
    code = """
    import sksvs
    from sksvs.datasets import make_singing_mixtures
    X, y = make_singing_mixtures(1, 2.0, 16000, random_state=0)
    voice = sksvs.pretrained("voice", sample_rate=16000)
    sksvs.save(voice, "voice.safetensors")
    voice = sksvs.load("voice.safetensors").set_params(stft__array_rate=16000)
    print(float(voice.score(X, y)), voice.predict(X)[0].shape)
    sksvs.export_onnx(voice[-1], "voice.onnx")
    """
    done = run(code, folder)
    assert done.returncode == 0, done.stderr
    sdr, shape = done.stdout.split(" ", 1)
    assert np.isfinite(float(sdr)) and shape.strip() == "(2, 32000)"
    assert (folder / "voice.onnx").stat().st_size > 100_000


def test_a_fit_says_what_to_install(folder):
    code = """
    from sklearn.pipeline import make_pipeline
    from sksvs.datasets import make_singing_mixtures
    from sksvs.estimators import GRUMaskSeparator
    from sksvs.transforms import IRMTarget, STFTTransformer
    X, y = make_singing_mixtures(2, 1.0, 8000, random_state=0)
    try:
        make_pipeline(STFTTransformer(), IRMTarget(), GRUMaskSeparator()).fit(X, y)
    except ImportError as error:
        print(error)
    """
    done = run(code, folder)
    assert done.stdout.strip().endswith("Install it with: pip install 'sksvs[fit]'"), done.stderr
