"""What only Linux has is not needed: macOS and Windows are simulated by taking it away."""

import subprocess
import sys

import pytest

from sksvs.audio import write
from tests.audio.test_decoded import tone, write_m4a
from tests.strategies import SAMPLE_RATE, seeded_noise

ONLY_ON_LINUX = {"macOS": ["sched_getaffinity"]}
ONLY_ON_LINUX["Windows"] = ["sched_getaffinity", "pread", "register_at_fork", "fork", "O_NONBLOCK"]

CODE = """if True:
    import os, sys
    import av, joblib, numpy, onnxruntime, scipy.signal, sklearn.pipeline, soundfile, soxr, tqdm

    assert not any(name.startswith("sksvs") for name in sys.modules)
    for name in sys.argv[1].split(","):
        delattr(os, name)
    for name in ("fcntl", "resource", "termios", "pwd", "grp"):
        sys.modules[name] = None
    import sksvs
    from sksvs.separation import separate_files

    for result in separate_files(sksvs.pretrained("voice"), sys.argv[2:], "out"):
        print(result.error)
"""


@pytest.mark.parametrize("system", ONLY_ON_LINUX)
def test_songs_are_separated_without_what_only_linux_has(tmp_path, system):
    write(tmp_path / "a.wav", seeded_noise((2 * SAMPLE_RATE, 2), 0, 0.1), SAMPLE_RATE)
    write_m4a(tmp_path / "b.m4a", tone(60_000))
    names = ",".join(ONLY_ON_LINUX[system])
    command = [sys.executable, "-W", "error", "-c", CODE, names, "a.wav", "b.m4a"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["None", "None"], "")
    stems = sorted(str(path.relative_to(tmp_path / "out")) for path in tmp_path.glob("out/*/*"))
    assert stems == ["a/accompaniment.wav", "a/vocals.wav", "b/accompaniment.wav", "b/vocals.wav"]
