import os

import pytest

from sksvs.system.atomic import replacing, replacing_all


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
    others = [tmp_path / ".a1.wav.01234567.part", tmp_path / ".a[1].wav"]
    for path in (abandoned, young, *others):
        path.write_text("half")
    for path in (abandoned, *others):
        os.utime(path, (0, 0))
    with replacing(tmp_path / "a[1].wav") as temporary:
        temporary.write_text("whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a[1].wav", *(path.name for path in (young, *others))}


def test_several_files_take_their_names_together_when_the_body_has_ended(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_text("before")
    with replacing_all(paths) as temporaries:
        for temporary in temporaries:
            temporary.write_text("after")
        assert [path.read_text() for path in paths] == ["before", "before"]
    assert [path.read_text() for path in paths] == ["after", "after"]
    with pytest.raises(ZeroDivisionError), replacing_all(paths) as temporaries:
        temporaries[0].write_text("whole")
        raise ZeroDivisionError
    assert [path.read_text() for path in paths] == ["after", "after"]
    assert sorted(tmp_path.iterdir()) == paths


def test_a_folder_among_the_paths_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "b").mkdir()
    with (
        pytest.raises(IsADirectoryError, match="b is a folder"),
        replacing_all([tmp_path / "a", tmp_path / "b"]),
    ):
        pass  # not reached
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_file_system_without_permissions_is_written_to(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError("not here")

    (tmp_path / "a").write_text("before")
    monkeypatch.setattr(os, "chmod", refuse)
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("after")
    assert (tmp_path / "a").read_text() == "after"
