import subprocess
import sys

import numpy as np
import pytest

import sksvs
from sksvs import separation
from sksvs.audio import AudioFile
from sksvs.cli import main


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_stems_go_where_it_is_printed(run, song, model, tmp_path):
    out = tmp_path / "out"
    result = run("separate", song, "-o", out, "--model", model)
    assert result.exit_code == 0
    assert result.stderr == ""
    expected = [out / "song" / f"{name}.wav" for name in ("vocals", "accompaniment")]
    assert result.stdout.splitlines() == [str(path) for path in expected]
    for path in expected:
        np.testing.assert_allclose(AudioFile(path)[:], AudioFile(song)[:], atol=1e-4)


def test_the_voice_alone_in_another_format(run, song, model, tmp_path):
    out = tmp_path / "out"
    arguments = ["--stems", "vocals", "--format", "flac", "--model", model]
    assert run("separate", song, "-o", out, *arguments).exit_code == 0
    assert files_in(out) == ["song/vocals.flac"]


def test_a_song_that_fails_does_not_stop_the_others(run, song, model, tmp_path):
    cut, last = tmp_path / "cut.wav", tmp_path / "last.wav"
    cut.write_bytes(song.read_bytes()[:-100])
    last.write_bytes(song.read_bytes())
    out = tmp_path / "out"
    songs = [tmp_path / "none\n.wav", cut, song, last]
    result = run("separate", *songs, "-o", out, "--model", model, "--stems", "vocals")
    assert result.exit_code == 1
    assert files_in(out) == ["last/vocals.wav", "song/vocals.wav"]
    missing, truncated = result.stderr.splitlines()
    assert missing.startswith("Error: ") and "none .wav does not exist" in missing
    assert "cut.wav is truncated" in truncated


def test_clipping_is_said_in_a_line(run, song, model, tmp_path, monkeypatch):
    import warnings

    def clip(*arguments, **options):
        warnings.warn("vocals.wav: samples up to 2 were clipped", stacklevel=1)
        return ()

    monkeypatch.setattr(separation, "separate_file", clip)
    result = run("separate", song, "-o", tmp_path, "--model", model)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Warning: vocals.wav: samples up to 2 were clipped\n"


def test_without_a_model_the_packaged_one_is_taken(run, song, model, tmp_path, monkeypatch):
    asked = []

    def pretrained(name):
        asked.append(name)
        return sksvs.load(model)

    monkeypatch.setattr(sksvs, "pretrained", pretrained, raising=False)
    assert run("separate", song, "-o", tmp_path / "out").exit_code == 0
    assert asked == ["voice"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["separate"], "Missing argument 'SONG...'"),
        (["separate", "x.wav"], "Missing option '-o'"),
        (["separate", ".", "-o", "out"], "File '.' is a directory"),
        (["separate", "x.wav", "-o", "out", "--model", "none"], "'none' does not exist"),
        (["separate", "x.wav", "-o", "out", "--format", "mp2"], "'mp2' is not one of"),
        (["separate", "x.wav", "x.flac", "-o", "out"], "would have their stems in one folder"),
        (["evil"], "No such command 'evil'"),
    ],
)
def test_wrong_arguments_have_code_2(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_false_model_is_an_error_in_one_line(run, song, tmp_path):
    result = run("separate", song, "-o", tmp_path / "out", "--model", song)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {song} cannot be loaded as a model: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a worker\nwas killed"),
        MemoryError(),
        OverflowError("too large"),
        type("ResourceExhaustedError", (Exception,), {"__module__": "tensorflow.python"})("full"),
    ],
)
def test_what_fails_is_said_in_one_line(run, song, model, tmp_path, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(separation, "stem_folders", fail)
    result = run("separate", song, "-o", tmp_path, "--model", model)
    said = " ".join(str(error).split()) or "MemoryError"
    assert (result.exit_code, result.stderr) == (1, f"Error: {said}\n")


def test_a_mistake_of_ours_is_a_traceback(run, song, model, tmp_path, monkeypatch):
    monkeypatch.setattr(separation, "stem_folders", lambda *arguments: {}["missing"])
    result = run("separate", song, "-o", tmp_path, "--model", model)
    assert isinstance(result.exception, KeyError)


def test_a_stem_never_overwrites_another_song(run, song, model, tmp_path):
    other = tmp_path / "song" / "vocals.wav"
    other.parent.mkdir()
    other.write_bytes(song.read_bytes())
    result = run("separate", song, other, "-o", tmp_path, "--model", model)
    assert result.exit_code == 2
    assert f"A stem of {song} would be {other}" in " ".join(result.stderr.split())
    assert files_in(tmp_path) == ["song.wav", "song/vocals.wav"]
    assert other.read_bytes() == song.read_bytes()
    arguments = ["-o", tmp_path, "--model", model, "--format", "flac"]
    assert run("separate", song, other, *arguments).exit_code == 0


def test_the_paths_of_stems_are_printed_a_line_each(run, song, model, tmp_path):
    odd = song.rename(tmp_path / "a\nb.wav")
    result = run("separate", odd, "-o", tmp_path / "out", "--model", model)
    expected = [f"{tmp_path}/out/a\\nb/{name}.wav" for name in ("vocals", "accompaniment")]
    assert result.stdout.splitlines() == expected


def test_the_process_leaves_with_the_codes(song, model, tmp_path, monkeypatch, capsys):
    for arguments, code in (
        (["separate", str(song), "-o", str(tmp_path), "--model", str(model)], 0),
        (["separate", str(tmp_path / "x"), "-o", str(tmp_path), "--model", str(model)], 1),
        (["separate"], 2),
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert (left.value.code or 0) == code

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(separation, "separate_file", interrupted)
    with pytest.raises(SystemExit) as left:
        main(["separate", str(song), "-o", str(tmp_path), "--model", str(model)])
    assert left.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_real_process_separates_without_what_it_does_not_need(song, model, tmp_path):
    code = (
        "import atexit, sys; from sksvs.cli import main\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'dask', 'mir_eval', 'sphinx'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))\n"
        "main()"
    )
    command = [sys.executable, "-c", code, "separate", "song.wav", "-o", "out", "--model", model]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["out/song/vocals.wav", "out/song/accompaniment.wav"]
    assert done.stderr == "[]\n"
    assert files_in(tmp_path / "out") == ["song/accompaniment.wav", "song/vocals.wav"]
