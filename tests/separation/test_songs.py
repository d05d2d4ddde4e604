import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.separation import find_songs
from sksvs.separation.songs import folder_name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/song.mp3", "song"),
        ("song.MP3", "song"),
        ("Vol. 1", "Vol. 1"),
        ("Vol. 2", "Vol. 2"),
        ("Song.v1", "Song.v1"),
        ("archive.tar.flac", "archive.tar"),
        ("...wav", "...wav"),
        ("..wav", "..wav"),
        (".wav", ".wav"),
        (" .wav", " .wav"),
        ("a/../b", "b"),
        ("a/../b.wav", "b"),
        ("-", "stdin"),
        ("/dev/stdin", "stdin"),
    ],
)
def test_a_folder_of_stems_is_called_as_the_song_without_its_ending(path, expected):
    assert folder_name(path) == expected


@given(
    name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
    ending=st.sampled_from(["", ".wav", ".flac", ".MP3", "."]),
)
def test_stems_never_leave_the_output_folder(name, ending):
    (song,) = find_songs([os.path.join("music", name + ending)], "out")
    out = os.path.abspath("out")
    folder = os.path.abspath(song.folder)
    assert os.path.commonpath([out, folder]) == out
    if name + ending not in (".", ".."):
        assert os.path.dirname(folder) == out


def test_where_stems_go_does_not_depend_on_other_songs():
    alone = [find_songs([path], "out")[0] for path in ("a/b/x.wav", "c/y.wav")]
    assert find_songs(["a/b/x.wav", "c/y.wav"], "out") == alone


def test_folders_without_songs_and_unreadable_ones_are_named(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (song,) = find_songs([tmp_path / "empty"], "out")
    assert song.error == f"{tmp_path / 'empty'} holds no audio files."

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    (song,) = find_songs([tmp_path / "empty"], "out")
    assert song.error == f"{tmp_path / 'empty'} cannot be read (Permission denied)."
