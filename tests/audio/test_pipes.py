import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from sksvs.audio import AudioFile, pipes
from tests.strategies import seeded_noise

NOISE = seeded_noise((40_000, 2), seed=0, scale=0.1)
READ = (
    "import sys; from sksvs.audio import AudioFile\n"
    "try: f = AudioFile(sys.argv[1]); print(f.shape, f.path, f[5:9].sum() == f[:][5:9].sum())\n"
    "except ValueError as error: print(error)\n"
)


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE, 16000, "FLOAT")
    return tmp_path / "a.wav"


def read_in_process(path, **options):
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60, **options
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_read_from_a_pipe_and_from_a_file(wav, name):
    command = f"cat '{wav}' | '{sys.executable}' -c '{READ}' {name}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"(40000, 2) {name} True"
    with open(wav, "rb") as file:
        assert read_in_process(name, stdin=file).startswith("(40000, 2)")


def test_a_process_substitution_is_read(wav):
    command = f"'{sys.executable}' -c '{READ}' <(cat '{wav}')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("(40000, 2) /dev/fd/"), done.stderr


def test_a_fifo_is_read_though_its_writer_comes_late(wav, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def write_late():
        with open(fifo, "wb") as file:
            file.write(wav.read_bytes())

    writer = threading.Timer(0.3, write_late)
    writer.start()
    file = AudioFile(fifo)
    writer.join()
    np.testing.assert_array_equal(file[:], NOISE.astype(np.float32))
    again = pickle.loads(pickle.dumps(file))
    np.testing.assert_array_equal(again[10:20], file[10:20])
    copy = file._content
    assert os.path.exists(copy)
    del file, again
    assert not os.path.exists(copy)


def test_a_fifo_to_which_nobody_writes_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pipes, "TIMEOUT", 0.3)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="fifo is a pipe to which nothing has been written for 0"):
        AudioFile(tmp_path / "fifo")


def test_a_writer_that_stops_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pipes, "TIMEOUT", 0.3)
    os.mkfifo(tmp_path / "fifo")
    writer = os.open(tmp_path / "fifo", os.O_RDWR)
    try:
        os.write(writer, b"RIFF")
        with pytest.raises(ValueError, match="nothing has been written for 0 s"):
            AudioFile(tmp_path / "fifo")
    finally:
        os.close(writer)


def test_standard_input_without_sound_is_an_error_at_once():
    said = read_in_process("-", stdin=subprocess.DEVNULL)
    assert said.startswith("Standard input is a terminal or a device: name a file")
    done = subprocess.run(
        [sys.executable, "-c", READ, "-"], input="", capture_output=True, text=True, timeout=30
    )
    assert done.stdout.strip() == "- is empty: it has no bytes."
    closed = subprocess.run(
        f"'{sys.executable}' -c '{READ}' - <&-", shell=True, capture_output=True, text=True
    )
    assert closed.stdout.startswith("Standard input is closed: name a file")
