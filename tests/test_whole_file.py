import fcntl
import os

import pytest

from sksvs._whole_file import replacing


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    path.chmod(0o640)
    with replacing(path) as temporary:
        temporary.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_rights_that_the_process_gives(tmp_path):
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("new")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    abandoned = tmp_path / ".a[1].wav.01234567.part"
    young = tmp_path / ".a[1].wav.01234568.part"
    locked = tmp_path / ".a[1].wav.01234569.part"
    others = [tmp_path / ".a1.wav.01234567.part", tmp_path / ".a[1].wav"]
    for path in (abandoned, young, locked, *others):
        path.write_text("half")
    for path in (abandoned, locked, *others):
        os.utime(path, (0, 0))
    with open(locked) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with replacing(tmp_path / "a[1].wav") as temporary:
            temporary.write_text("whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a[1].wav", *(path.name for path in (young, locked, *others))}
