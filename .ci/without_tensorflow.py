"""Separate, save, load and score in an environment without TensorFlow, as a user installs it."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.datasets import make_singing_mixtures

assert find_spec("tensorflow") is None
X, y = make_singing_mixtures(1, duration=2.0, random_state=0)
separator = sksvs.pretrained("voice-mir1k", sample_rate=16000)
print(repr(separator.score(X, y)))
with tempfile.TemporaryDirectory() as folder:
    model, song = Path(folder) / "model.safetensors", Path(folder) / "song.wav"
    sksvs.save(separator, model)
    write(song, X[0], 16000)
    for name in ("voice", model):
        command = [
            sys.executable,
            "-m",
            "sksvs.cli",
            "separate",
            song,
            "-o",
            folder,
            "--model",
            name,
        ]
        subprocess.run(command, check=True)
        assert AudioFile(Path(folder) / "song" / "vocals.wav").n_samples == len(X[0])
