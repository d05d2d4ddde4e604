import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.audio import ArrayWaveform, AudioFile, Sources
from sksvs.cli import main
from sksvs.estimators import MixtureBaseline
from sksvs.model_files.packaged import DEFAULT
from sksvs.separation import many_files
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.separation.conftest import NAMES, files_in
from tests.strategies import tiny_tracks


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


def test_stems_of_four_sources_are_chosen_by_their_names(run, song, tmp_path):
    names = ("vocals", "bass", "drums", "other")
    X, y = tiny_tracks(1)
    y = [Sources([ArrayWaveform(part / 2) for part in (*s, *s)], names) for s in y]
    path, out = tmp_path / "model", tmp_path / "out"
    steps = [MonoDownmix(), STFTTransformer(n_fft=64, hop_length=32), MixtureBaseline()]
    sksvs.save(make_pipeline(*steps).fit(X, y), path)
    assert run("separate", song, "-o", out, "--model", path).exit_code == 0
    assert files_in(out) == sorted(f"song/{name}.wav" for name in names)
    chosen = ["-o", out / "some", "--model", path, "--stems"]
    assert run("separate", song, *chosen, "drums, vocals").exit_code == 0
    assert files_in(out / "some") == ["song/drums.wav", "song/vocals.wav"]
    result = run("separate", song, *chosen, "vocals,piano")
    assert result.exit_code == 2
    assert "--stems: the model has vocals, bass, drums, other; got 'piano'." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["separate"], "Missing argument 'SONG...'"),
        (
            ["separate", "x.wav", "--jobs", "0"],
            "'--jobs': it must be an integer other than 0; got 0",
        ),
        (["separate", "x.wav", "--format", "wav", "--bitrate", "128"], "--bitrate is for mp3"),
        (["separate", "x.wav", "--others-weight", "0"], "it must be from 1e-6 to 1e6; got 0"),
        (["separate", "x.wav", "--balance", "loud"], "'loud' is not one of 'cleaner', 'balanced'"),
        (
            ["separate", "x.wav", "--balance", "fuller", "--others-weight", "2"],
            "--balance and --others-weight exclude each other",
        ),
        (["separate", "x.wav", "-o", "out", "--model", "none"], "packaged model (voice, "),
        (["separate", "x.wav", "-o", "out", "--format", "mp2"], "'mp2' is not one of"),
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

    monkeypatch.setattr(many_files, "separate_file", interrupted)
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


def test_songs_that_fail_do_not_stop_the_others(run, song, model, tmp_path):
    cut, last, pointer = (tmp_path / f"{name}.wav" for name in ("cut", "last", "pointer"))
    cut.write_bytes(song.read_bytes()[:-400])
    last.write_bytes(song.read_bytes())
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    out = tmp_path / "out"
    songs = [tmp_path / "none\n.wav", pointer, cut, song, last]
    result = run("separate", *songs, "-o", out, "--model", model, "--stems", "vocals")
    assert result.exit_code == 1
    assert files_in(out) == ["cut/vocals.wav", "last/vocals.wav", "song/vocals.wav"]
    missing, refused, warned = result.stderr.splitlines()
    assert missing.startswith("Error: ") and "none .wav does not exist" in missing
    assert "pointer.wav is a Git LFS pointer and not the audio itself: fetch it with" in refused
    assert warned.startswith(f"Warning: {cut} is cut short: 19900 samples")
    result = run("separate", cut, "-o", out / "strict", "--model", model, "--strict")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {cut} is cut short")
    assert not (out / "strict").exists()


def test_a_failure_of_any_kind_is_said_in_a_line(run, song, model, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("a worker\nwas killed")

    monkeypatch.setattr(many_files, "separate_file", fail)
    result = run("separate", song, "-o", tmp_path, "--model", model)
    expected = f"Error: {song}: RuntimeError: a worker was killed\n"
    assert (result.exit_code, result.stderr) == (1, expected)


def test_a_mistake_of_ours_outside_of_songs_is_a_traceback(run, song, model, monkeypatch):
    monkeypatch.setattr(many_files, "find_songs", lambda *arguments: {}["missing"])
    result = run("separate", song, "--model", model)
    assert isinstance(result.exception, KeyError)


def test_without_an_output_folder_stems_go_to_separated(run, song, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("separate", "song.wav", "--model", model)
    assert result.stdout.splitlines()[0] == "separated/song/vocals.wav"
    again = run("separate", "song.wav", "--model", model, "--skip-existing")
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert again.stderr.endswith("song.wav: its stems are there already.\n")


def test_a_folder_stands_for_its_songs_and_clashes_fail_by_name(run, song, model, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.wav").write_bytes(song.read_bytes())
    (tmp_path / "a" / "song.wav").write_bytes(song.read_bytes())
    out = tmp_path / "out"
    result = run("separate", tmp_path / "a", song, "-o", out, "--model", model, "--jobs", "2")
    assert result.exit_code == 1
    assert files_in(out) == [f"{folder}/{name}.wav" for folder in ("b/x", "song") for name in NAMES]
    (line,) = result.stderr.splitlines()
    other = tmp_path / "a" / "song.wav"
    assert line.startswith(f"Error: {song} would have the same stems as {other}, in {out}/song.")


@pytest.mark.parametrize("audio_format", ["wav", "flac", "ogg", "mp3", "opus"])
def test_every_format_can_be_asked_for(run, song, model, tmp_path, audio_format):
    bitrate = ["--bitrate", "96"] if audio_format in ("ogg", "mp3", "opus") else []
    arguments = ["-o", tmp_path, "--model", model, "--format", audio_format, *bitrate]
    if audio_format == "mp3":  # of this rate it has at most 64
        bitrate[1] = "64"
        arguments[-1] = "64"
    result = run("separate", song, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    for path in result.stdout.splitlines():
        assert path.endswith(f".{audio_format}")
        assert len(AudioFile(path)) / AudioFile(path).sample_rate == pytest.approx(2.5, abs=0.05)


def test_more_of_the_voice_can_be_asked_for(run, song, model, tmp_path):
    levels = []
    options = ("--others-weight", "0.1"), ("--balance", "fuller"), ("--balance", "cleaner")
    for option, value in (*options, ("--others-weight", "10")):
        result = run("separate", song, option, value, "--model", model)
        message = f"{option}: a MixtureBaseline has no masks to weigh"
        assert (result.exit_code, message in result.stderr) == (2, True)
        out = tmp_path / value
        result = run("separate", song, "-o", out, option, value, "--stems", "vocals")
        assert result.exit_code == 0
        levels.append(np.sqrt(np.mean(AudioFile(out / "song" / "vocals.wav")[:] ** 2)))
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 1.3 * levels[3] > 0
    assert levels[1] > 1.05 * levels[2]


def test_the_terms_of_the_weights_are_printed_once_for_all_songs(run, song, model, tmp_path):
    def printed(card, *options):
        path = tmp_path / "own.safetensors"
        sksvs.save(sksvs.load(model), path, card=card)
        result = run("separate", song, song, "-o", tmp_path / "out", "--model", path, *options)
        return [line for line in result.stderr.splitlines() if "The network" in line]

    own = f"The network {tmp_path}/own.safetensors is"
    sources = [{"name": "a", "terms": "b", "hours": 1}]
    names = f"`sksvs info {tmp_path}/own.safetensors` names its sources."
    expected = [f"{own} for research only; {names}"]
    assert printed({"licence": "research only", "sources": sources}) == expected
    expected = [f"{own} under CC-BY-SA-4.0."]
    assert printed({"licence": "CC-BY-SA-4.0"}, "--jobs", "2") == expected
    assert printed({"licence": "a\n\x1bb"}) == [f"{own} under a \\x1bb."]
    for card in (None, {}, {"licence": ["research only"]}, {"licence": ""}):
        assert printed(card) == []


def test_a_packaged_model_is_taken_by_its_name(run, song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT).write_bytes(b"a file of that name, which is no model")
    free = "under CC-BY-SA-4.0 AND GPL-3.0-or-later"
    for name, terms, options in [
        ("voice", "for research only", ("--model", "voice")),
        ("voice-free", free, ("--model", "voice-free")),
        (DEFAULT, free, ()),
    ]:
        line = f"The network {name} is {terms}; `sksvs info {name}` names its sources.\n"
        result = run("separate", song, "-o", tmp_path / f"{len(options)}{name}", *options)
        assert (result.exit_code, result.stderr) == (0, line)
    assert f"[default: {name}]" in run("separate", "--help").stdout


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2>said"])
def test_the_work_is_done_wherever_standard_error_leads(song, model, tmp_path, redirection):
    path = tmp_path / "own.safetensors"
    sksvs.save(sksvs.load(model), path, card={"licence": "MIT"})
    command = f"'{sys.executable}' -m sksvs.cli separate song.wav -o out --model '{path}'"
    # As on most machines: with this variable, Python keeps nothing that it could not write.
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        f"{command} {redirection}",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=buffered,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert files_in(tmp_path / "out") == ["song/accompaniment.wav", "song/vocals.wav"]
    np.testing.assert_allclose(
        AudioFile(tmp_path / "out" / "song" / "vocals.wav")[:], AudioFile(song)[:], atol=1e-4
    )
    said = tmp_path / "said"
    assert not said.exists() or said.read_text() == f"The network {path} is under MIT.\n"


@pytest.mark.parametrize("name", [b"caf\xe9.wav", "caf\u00e9 \u97f3.wav".encode()])
def test_names_of_any_encoding_are_separated_in_the_c_locale(song, model, tmp_path, name):
    odd = os.path.join(os.fsencode(tmp_path), name)
    os.rename(song, odd)
    c_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "sksvs.cli", "separate", odd, "-o", "out", "--model", model]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=os.environ | c_locale)
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.listdir(os.fsencode(tmp_path / "out")) == [name.removesuffix(b".wav")]
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_report_on_all_songs_is_written_beside_the_stems(run, song, model, tmp_path, jobs):
    out, other = tmp_path / "out", tmp_path / "b & c.wav"
    other.write_bytes(song.read_bytes())
    songs = [song, tmp_path / "none.wav", other]
    options = ["-o", out, "--model", model, "--report", "--jobs", jobs, "--format", "flac"]
    result = run("separate", *songs, *options)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == str(out / "report.html")
    stems = [f"{folder}/{name}.flac" for folder in ("b & c", "song") for name in NAMES]
    assert files_in(out) == sorted([*stems, "report.html"])
    page = (out / "report.html").read_text()
    assert "<title>3 songs separated by mixture</title>" in page
    assert page.count('sksvs-player"') == 2
    places = [page.index(f"<h2>{name}</h2>") for name in ("song.wav", "none.wav", "b &amp; c.wav")]
    assert places == sorted(places)
    assert "none.wav does not exist" in page
    again = run("separate", song, *options, "--skip-existing")
    assert "its stems are there already" in again.stderr
    assert (out / "report.html").read_text().count('sksvs-player"') == 1


def test_a_report_on_standard_input(song, model, tmp_path):
    command = [sys.executable, "-m", "sksvs.cli", "separate", "-", "-o", "out", "--model", model]
    with song.open("rb") as sound:
        streams = {"stdin": sound, "capture_output": True, "text": True}
        done = subprocess.run([*command, "--report"], cwd=tmp_path, **streams)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "report.html").read_text().count('sksvs-player"') == 1


def test_a_song_that_cannot_be_reported_is_an_error_and_keeps_its_stems(
    run, song, model, tmp_path, monkeypatch
):
    def fail(waveform):
        raise OSError("no room")

    monkeypatch.setattr("sksvs.display.separation_report.measure_levels", fail)
    result = run("separate", song, "-o", tmp_path, "--model", model, "--report")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {song} is not in the report: no room\n"
    assert (tmp_path / "song" / "vocals.wav").exists()
    assert "is not in the report: no room" in (tmp_path / "report.html").read_text()
