"""Every example runs from its first line to its last, on tiny settings."""

import re
import runpy
from pathlib import Path

import pytest

from sksvs.audio import write
from tests.strategies import seeded_noise

matplotlib = pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).parents[1] / "examples"
PLAYED = {  # by a player on its page
    "augmentation_heard",
    "fine_tuning",
    "four_stems",
    "oracle_bounds",
    "see_and_hear",
    "separate_a_song",
    "separate_a_stream",
    "train_on_a_folder_of_stems",
    "what_scores_sound_like",
    "your_own_separator",
}
NOT_PLAYED = {
    "callbacks_through_a_search",
    "mask_exponents",
    "more_songs",
    "one_separation_many_scores",
    "report_grid_search",
}


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that runs an example with other settings and returns what it printed."""
    matplotlib.use("agg")
    for name in ("DSD100", "MIR1K"):
        monkeypatch.delenv(name, raising=False)

    def run_example(name, **settings):
        path = EXAMPLES / f"plot_{name}.py"
        code = path.read_text()
        for setting, value in settings.items():
            code, count = re.subn(rf"^{setting} = .*$", f"{setting} = {value!r}", code, flags=re.M)
            assert count == 1, setting
        changed = tmp_path / path.name
        changed.write_text(code)
        runpy.run_path(str(changed), run_name="__main__")
        matplotlib.pyplot.close("all")
        return capsys.readouterr().out

    return run_example


def test_no_example_is_left_out():
    names = [path.stem.removeprefix("plot_") for path in EXAMPLES.glob("*.py")]
    assert sorted(names) == sorted(PLAYED | NOT_PLAYED)


@pytest.mark.parametrize("name", sorted(PLAYED | NOT_PLAYED))
def test_an_example_begins_with_its_settings_and_parses_no_arguments(name):
    code = (EXAMPLES / f"plot_{name}.py").read_text()
    assert "argparse" not in code and "sys.argv" not in code
    assert len(code.splitlines()) <= 105
    assert ("SeparationDisplay.from_" in code) == (name in PLAYED)


def test_separate_a_song(run, tmp_path):
    printed = run("separate_a_song", SECONDS=1.5)
    assert re.findall(r"(\w+)\.flac +1\.5 s", printed) == ["vocals", "accompaniment"]
    write(tmp_path / "my song.wav", seeded_noise((8000, 2), seed=0, scale=0.1), 8000)
    printed = run("separate_a_song", SONG=str(tmp_path / "my song.wav"))
    assert re.findall(r"(\w+)\.wav +1\.0 s", printed) == ["vocals", "accompaniment"]


@pytest.mark.slow
def test_train_on_a_folder_of_stems(run):
    printed = run("train_on_a_folder_of_stems", N_SONGS=4, SECONDS=1.5, EPOCHS=1)
    assert "groups are artists. 4 tracks" in printed
    assert "Mixture and sources of the first song: (24000,) (2, 24000)" in printed
    assert re.search(r"Artist 2: SDR -?\d", printed)


@pytest.mark.slow
def test_report_grid_search(run):
    printed = run("report_grid_search", N_SONGS=2, SECONDS=1.5, EPOCHS=1)
    for words in ("140,542", "138,958", "109,732", "-11.17 / -0.21 / -7.31", "misaligned"):
        assert words in printed


@pytest.mark.slow
def test_report_grid_search_on_real_songs(run, monkeypatch, dsd100_root):
    monkeypatch.setenv("DSD100", str(dsd100_root))
    assert "-11.17 / -0.21 / -7.31" in run("report_grid_search", N_SONGS=2, EPOCHS=1)


def test_mask_exponents(run):
    printed = run("mask_exponents", N_SONGS=2, SECONDS=1.5)
    assert "ratio, p = 2.0, v = 1.0" in printed
    assert "binary" in printed


def test_what_scores_sound_like(run):
    printed = run("what_scores_sound_like", SECONDS=3.0)
    rows = re.findall(r"(\w+), (\d) dB +(\S+) +(\S+) +(\S+)", printed)
    assert len(rows) == 6
    for kind, wanted, *scores in rows:
        sdr, sir, sar = map(float, scores)
        assert sdr == pytest.approx(float(wanted), abs=1.0)
        low, high = (sir, sar) if kind == "interference" else (sar, sir)
        assert low < sdr + 0.5 and high > sdr + 10


def test_oracle_bounds(run):
    printed = run("oracle_bounds", N_SONGS=2, SECONDS=3.0)
    low, sdr, high = map(
        float, re.findall(r"mixture (\S+), \S+ (\S+), ideal mask (\S+)", printed)[0]
    )
    assert low < sdr < high


def test_augmentation_heard(run):
    printed = run("augmentation_heard", SECONDS=2.0)
    rows = re.findall(r"RMS (\S+), peak (\S+)$", printed, flags=re.M)
    assert len({loudness for loudness, _ in rows}) == 1
    peaks = [float(peak) for _, peak in rows]
    assert sorted(peaks, reverse=True) == peaks and len(set(peaks)) == 3


@pytest.mark.slow
def test_four_stems(run):
    printed = run("four_stems", N_SONGS=3, SECONDS=1.5, EPOCHS=1).splitlines()
    assert printed[0].split() == ["SDR,", "dB", "vocals", "bass", "drums", "other"]
    assert [len(re.findall(r"-?\d+\.\d\d", line)) for line in printed[1:]] == [4, 4]


@pytest.mark.slow
def test_more_songs(run):
    printed = run("more_songs", N_SONGS=4, SECONDS=1.5, EPOCHS=1)
    assert "  1 songs: SDR of the voice" in printed


@pytest.mark.slow
def test_fine_tuning(run):
    printed = run("fine_tuning", N_SONGS=2, N_NEW_SONGS=1, SECONDS=1.5, EPOCHS=1)
    assert len(re.findall(r"^(?:old|few).*songs +-?\d+\.\d\d +-?\d+\.\d\d$", printed, re.M)) == 3


def test_one_separation_many_scores(run):
    printed = run("one_separation_many_scores", N_SONGS=2, SECONDS=1.5).splitlines()
    sir = {line[:18]: float(line.split()[-2]) for line in printed if line.startswith("version")}
    assert sir["version 2, sources"] > sir["version 3, sources"] == sir["version 3, images "]


@pytest.mark.slow
def test_one_separation_of_real_clips_has_the_scores_in_the_documentation(
    run, monkeypatch, mir1k_root
):
    monkeypatch.setenv("MIR1K", str(mir1k_root))
    printed = run("one_separation_many_scores")
    page = (EXAMPLES.parent / "docs" / "scores.rst").read_text()
    for line in printed.splitlines()[:5]:
        assert f"    {line}\n" in page


@pytest.mark.slow
def test_callbacks_through_a_search(run):
    pytest.importorskip("sklearn.callback")
    printed = run("callbacks_through_a_search")
    assert "GridSearchCV - fit" in printed
    rows = [line.split() for line in printed.splitlines() if line.startswith("(")]
    assert len(rows) == 4
    for *_, first, _, _, _, _, last in rows:
        assert float(last) > float(first)


def test_separate_a_stream(run):
    printed = run("separate_a_stream", SECONDS=2.0)
    latency = float(re.search(r"Latency: +([\d.]+) ms at most", printed)[1])
    assert 10 < latency <= 40
    difference = float(re.search(r"stems and the input: (\S+)", printed)[1])
    assert difference < 1e-5


@pytest.mark.slow
def test_your_own_separator(run):
    printed = run("your_own_separator")
    assert re.search(r"failed +0$", printed, flags=re.MULTILINE)
    mixture, separator = map(float, re.findall(r"SDR of the voice +(\S+) dB", printed))
    assert separator > mixture + 3


def test_see_and_hear(run):
    printed = run("see_and_hear", SECONDS=3.0)
    assert re.search(r"SDR of the voice by second: +-?\d+\.\d", printed)
