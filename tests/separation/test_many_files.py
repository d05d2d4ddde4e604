import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sksvs.audio import AudioFile, read
from sksvs.separation import separate_file, separate_files
from tests.separation.conftest import NAMES, files_in, make_song
from tests.strategies import SAMPLE_RATE


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_file_that_fails_is_reported_and_the_others_go_on(tmp_path, pipeline, n_jobs):
    good = make_song(tmp_path / "good.wav")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    last = make_song(tmp_path / "last.flac", subtype="PCM_16")
    with pytest.warns(UserWarning, match=r"1 of 3 files could not be .*\n.*bad\.wav is no"):
        results = separate_files(pipeline, [good, bad, last], tmp_path / "out", n_jobs=n_jobs)
    assert [result.path for result in results] == [good, bad, last]
    assert [len(result.stems) for result in results] == [2, 0, 2]
    assert results[1].error.startswith(f"{bad} is no audio that libsndfile or FFmpeg can decode")
    assert results[0].error is None
    expected = [f"good/{n}.wav" for n in NAMES] + [f"last/{n}.flac" for n in NAMES]
    assert files_in(tmp_path / "out") == expected


def separate_quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return separate_files(*arguments, **options)


def test_a_folder_stands_for_the_songs_in_it_and_its_structure_is_kept(tmp_path, pipeline):
    for folder in ("Dev/051", "Test/001", "__MACOSX", ".hidden"):
        (tmp_path / "songs" / folder).mkdir(parents=True)
        make_song(tmp_path / "songs" / folder / "mixture.wav", (4000,))
    (tmp_path / "songs" / "notes.txt").write_text("no song")
    results = separate_files(pipeline, [tmp_path / "songs"], tmp_path / "songs" / "out")
    assert [result.stems[0].relative_to(tmp_path / "songs") for result in results] == [
        Path("out/Dev/051/mixture/vocals.wav"),
        Path("out/Test/001/mixture/vocals.wav"),
    ]
    # The stems lie in the folder of songs, and are no songs.
    assert len(separate_files(pipeline, [tmp_path / "songs"], tmp_path / "songs" / "out")) == 2
    (alone,) = separate_files(
        pipeline, [tmp_path / "songs" / "Dev" / "051" / "mixture.wav"], tmp_path / "alone"
    )
    assert alone.stems[0] == tmp_path / "alone" / "mixture" / "vocals.wav"
    assert separate_files(pipeline, [], tmp_path / "out") == []


def test_the_second_of_two_songs_with_the_same_stems_fails(tmp_path, pipeline):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        make_song(tmp_path / folder / "song.wav", (4000,))
    other = make_song(tmp_path / "other.wav", (4000,))
    songs = [tmp_path / "a" / "song.wav", tmp_path / "b" / "song.wav", other]
    results = separate_quietly(pipeline, songs, tmp_path / "out")
    assert [result.error is None for result in results] == [True, False, True]
    assert f"{songs[1]} would have the same stems as {songs[0]}" in results[1].error
    flac = make_song(tmp_path / "b" / "song.flac", (4000,), "PCM_16")  # these stems are others
    results = separate_files(pipeline, [songs[0], flac], tmp_path / "both")
    assert [result.error for result in results] == [None, None]
    results = separate_quietly(pipeline, [songs[0], flac], tmp_path / "both", audio_format="ogg")
    assert [result.error is None for result in results] == [True, False]


def test_no_stem_overwrites_another_song(tmp_path, pipeline):
    (tmp_path / "song").mkdir()
    song = make_song(tmp_path / "song.wav", (4000,))
    other = make_song(tmp_path / "song" / "accompaniment.wav", (4000,))
    before = other.read_bytes()
    results = separate_quietly(pipeline, [song, other], tmp_path)
    assert f"A stem of {song} would be {other}, which is one of the songs" in results[0].error
    assert results[1].error is None
    assert other.read_bytes() == before
    (tmp_path / "out" / "song").mkdir(parents=True)
    (tmp_path / "out" / "song" / "vocals.wav").hardlink_to(other)
    results = separate_quietly(pipeline, [other, song], tmp_path / "out")
    assert [result.error is None for result in results] == [True, True]
    assert other.read_bytes() == before  # the link was replaced, not what it leads to


def test_what_was_separated_is_skipped_if_asked_for(tmp_path, pipeline):
    song, other = (make_song(tmp_path / f"{name}.wav", (4000,)) for name in "ab")
    separate_files(pipeline, [song], tmp_path / "out")
    stems = [tmp_path / "out" / "a" / f"{name}.wav" for name in NAMES]
    before = [stem.stat().st_mtime_ns for stem in stems]
    results = separate_files(pipeline, [song, other], tmp_path / "out", skip_existing=True)
    assert [result.skipped for result in results] == [True, False]
    assert [stem.stat().st_mtime_ns for stem in stems] == before
    stems[1].unlink()  # half of it is not enough
    (result,) = separate_files(pipeline, [song], tmp_path / "out", skip_existing=True)
    assert not result.skipped
    assert stems[1].exists()


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_what_is_odd_about_files_is_said_wherever_they_are_separated(tmp_path, pipeline, n_jobs):
    cut = make_song(tmp_path / "cut.wav")
    cut.write_bytes(cut.read_bytes()[:-800])
    soundfile.write(tmp_path / "loud.wav", np.full(9000, 0.5), SAMPLE_RATE, "FLOAT")
    with pytest.warns(UserWarning, match=r"cut\.wav is cut short: 19900 samples") as caught:
        results = separate_files(pipeline, [cut], tmp_path / "out", n_jobs=n_jobs)
    assert len(caught) == 1
    assert results[0].warnings == (str(caught[0].message),)
    with pytest.warns(UserWarning, match="1 of 1 files could not be separated"):
        results = separate_files(pipeline, [cut], tmp_path / "out", n_jobs=n_jobs, strict=True)
    assert "cut.wav is cut short" in results[0].error


def test_a_failure_of_any_kind_does_not_stop_the_others(tmp_path, pipeline, monkeypatch):
    from sksvs.separation import many_files

    songs = [make_song(tmp_path / f"{name}.wav", (4000,)) for name in "abcd"]
    errors = {"a": MemoryError(), "b": RecursionError("too deep"), "c": KeyError("x")}

    def fail(separator, file, *arguments, **options):
        name = Path(file.path).stem
        if name in errors:
            raise errors[name]
        return separate_file(separator, file, *arguments, **options)

    monkeypatch.setattr(many_files, "separate_file", fail)
    results = separate_quietly(pipeline, songs, tmp_path / "out")
    said = ["MemoryError", "RecursionError: too deep", "KeyError: 'x'"]
    for result, words in zip(results, said):
        assert result.error == f"{result.path}: {words}"
    assert results[3].error is None


@pytest.mark.slow
def test_a_song_through_a_pipe_is_separated_in_another_process(tmp_path, pipeline):
    (tmp_path / "pipeline").write_bytes(pickle.dumps(pipeline))
    song = make_song(tmp_path / "song.wav", (4000, 2))
    code = (
        "import pickle, sys; from sksvs.separation import separate_files\n"
        "p = pickle.load(open('pipeline', 'rb'))\n"
        "for r in separate_files(p, ['-', 'song.wav'], 'out', n_jobs=2): print(r.error)\n"
    )
    with open(song, "rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=file, cwd=tmp_path, capture_output=True, text=True
        )
    assert done.stdout.split() == ["None", "None"], done.stderr
    np.testing.assert_array_equal(
        read(tmp_path / "out" / "stdin" / "vocals.wav")[0],
        read(tmp_path / "out" / "song" / "vocals.wav")[0],
    )


def test_paths_are_a_sequence(tmp_path, pipeline):
    with pytest.raises(TypeError, match=r"paths must be a sequence of paths; got .*song\.wav"):
        separate_files(pipeline, tmp_path / "song.wav", tmp_path)


def test_a_name_that_is_not_utf_8_is_separated(tmp_path, pipeline):
    song = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav"))
    make_song(tmp_path / "a.wav", (4000,)).rename(song)
    (result,) = separate_files(pipeline, [song], tmp_path / "out")
    assert result.error is None
    assert os.listdir(os.fsencode(tmp_path / "out")) == [b"caf\xe9"]
    assert len(AudioFile(result.stems[0])) == 4000
