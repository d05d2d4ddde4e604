"""Every example runs from its first line to its last, on tiny settings."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from sksvs.audio import AudioFile

matplotlib = pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).parents[1] / "examples"
TINY = ["--songs", "2", "--seconds", "1.5"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs an example and returns what it printed."""
    matplotlib.use("agg")

    def run_example(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        matplotlib.pyplot.close("all")
        return capsys.readouterr().out

    return run_example


def test_no_example_is_left_out():
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == [
        "plot_callbacks_through_a_search.py",
        "plot_mask_exponents.py",
        "plot_more_songs.py",
        "plot_one_separation_many_scores.py",
        "plot_report_grid_search.py",
        "plot_see_and_hear.py",
        "plot_separate_a_song.py",
        "plot_separate_a_stream.py",
        "plot_your_own_separator.py",
    ]


def test_separate_a_song(run, tmp_path):
    out = tmp_path / "new" / "folder"
    printed = run("plot_separate_a_song.py", *TINY, "--epochs", "1", "--out", str(out))
    assert "unprocessed mixture (lower bound)" in printed
    assert "ideal ratio mask (upper bound)" in printed
    parts = {name: AudioFile(out / f"{name}.wav")[:] for name in ("vocals", "accompaniment")}
    mixture = AudioFile(out / "mixture.wav")[:]
    assert abs(mixture - parts["vocals"] - parts["accompaniment"]).max() < 1e-5
    assert (out / "spectrograms.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["mir1k_root", "dsd100_root"])
def test_separate_a_real_song(run, tmp_path, request, corpus):
    root = request.getfixturevalue(corpus)
    arguments = [*TINY, "--epochs", "1", "--data", str(root), "--out", str(tmp_path)]
    assert "Training on 2 songs" in run("plot_separate_a_song.py", *arguments)
    assert AudioFile(tmp_path / "vocals.wav").sample_rate == (
        16000 if corpus == "mir1k_root" else 44100
    )


def test_a_folder_that_is_no_dataset_is_refused(run, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("plot_separate_a_song.py", "--data", str(tmp_path))
    assert f"{tmp_path} is none of the folders that are known: MIR-1K" in capsys.readouterr().err


@pytest.mark.slow
def test_report_grid_search(run):
    printed = run("plot_report_grid_search.py", *TINY, "--epochs", "1")
    for words in ("140,542", "138,958", "109,732", "-11.17 / -0.21 / -7.31", "misaligned"):
        assert words in printed


@pytest.mark.slow
def test_report_grid_search_on_real_songs(run, dsd100_root):
    arguments = ["--data", str(dsd100_root), "--songs", "2", "--epochs", "1"]
    assert "-11.17 / -0.21 / -7.31" in run("plot_report_grid_search.py", *arguments)


def test_mask_exponents(run):
    printed = run("plot_mask_exponents.py", *TINY)
    assert "ratio, p = 2.0, v = 1.0" in printed
    assert "binary" in printed


@pytest.mark.slow
def test_more_songs(run):
    printed = run("plot_more_songs.py", "--songs", "4", "--seconds", "1.5", "--epochs", "1")
    assert "  1 songs: SDR of the voice" in printed


def test_one_separation_many_scores(run):
    printed = run("plot_one_separation_many_scores.py", *TINY).splitlines()
    sir = {line[:18]: float(line.split()[-2]) for line in printed if line.startswith("version")}
    assert sir["version 2, sources"] > sir["version 3, sources"] == sir["version 3, images "]


@pytest.mark.slow
def test_callbacks_through_a_search(run):
    pytest.importorskip("sklearn.callback")
    printed = run("plot_callbacks_through_a_search.py")
    assert "GridSearchCV - fit" in printed
    rows = [line.split() for line in printed.splitlines() if line.startswith("(")]
    assert len(rows) == 4
    for *_, first, _, _, _, _, last in rows:
        assert float(last) > float(first)


def test_separate_a_stream(run):
    printed = run("plot_separate_a_stream.py")
    latency = float(re.search(r"Latency: +([\d.]+) ms at most", printed)[1])
    assert 10 < latency <= 40
    difference = float(re.search(r"stems and the input: (\S+)", printed)[1])
    assert difference < 1e-5


@pytest.mark.slow
def test_your_own_separator(run):
    printed = run("plot_your_own_separator.py")
    assert re.search(r"failed +0$", printed, flags=re.MULTILINE)
    mixture, separator = map(float, re.findall(r"SDR of the voice +(\S+) dB", printed))
    assert separator > mixture + 3


def test_see_and_hear(run):
    printed = run("plot_see_and_hear.py")
    assert re.search(r"SDR of the voice by second: +-?\d+\.\d", printed)
