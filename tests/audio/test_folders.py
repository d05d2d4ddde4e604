import os

import pytest

from sksvs.audio.folders import find_audio_files
from tests.strategies import leave_system_files


@pytest.fixture
def music(tmp_path):
    for name in ("b.WAV", "a.opus", "notes.txt", "albums/2/c.mp3", "albums/1/d.flac", "out/e.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    leave_system_files(tmp_path)
    (tmp_path / "__MACOSX" / "f.wav").touch()
    return tmp_path


def test_audio_files_are_found_at_any_depth_in_the_order_of_names(music):
    names = ["a.opus", "b.WAV", "albums/1/d.flac", "albums/2/c.mp3", "out/e.wav"]
    assert find_audio_files(music) == ([str(music / name) for name in names], [])
    (music / "link").symlink_to(music / "out")
    assert find_audio_files(music, skip=music / "link")[0] == [str(music / n) for n in names[:-1]]


def test_folders_that_cannot_be_read_are_errors(music):
    paths, (error,) = find_audio_files(music / "nowhere")
    assert paths == []
    assert (error.filename, error.strerror) == (str(music / "nowhere"), os.strerror(2))
