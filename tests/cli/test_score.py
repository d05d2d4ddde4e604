import json

import numpy as np
import pytest

import sksvs
from sksvs.audio import write
from sksvs.cli.score import PROTOCOLS as OFFERED
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.metrics import PROTOCOLS, evaluate
from tests.strategies import SAMPLE_RATE, seeded_noise


def test_the_table_is_what_evaluate_gives(run, dsd100, model):
    songs = load_dsd100(dsd100, "test")
    expected = evaluate(sksvs.load(model), songs.X, songs.y, names=songs.names, mixture=True)
    result = run("score", "--data", dsd100, "--model", model, "--mixture", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{expected}\n"


@pytest.mark.parametrize(("protocol", "metric"), [("whole_tracks", "sdr"), ("huang2014", "nsdr")])
def test_json_has_the_tracks_and_their_summary(run, dsd100, model, protocol, metric):
    options = ["--json", "--protocol", protocol, "--subset", "train", "--oracle", "--quiet"]
    result = run("score", "--data", dsd100, "--model", model, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["protocol"] == protocol
    assert [row["track"] for row in found["tracks"]] == load_dsd100(dsd100, "dev").names
    assert found["summary"][f"oracle_{metric}_vocals"] > found["summary"][f"{metric}_vocals"] + 3


def test_every_protocol_is_offered():
    assert tuple(PROTOCOLS) == OFFERED


def test_columns_and_summaries_are_named_after_the_sources(run, dsd100, model):
    options = ["--protocol", "mdx", "--quiet"]
    text = run("score", "--data", dsd100, "--model", model, *options).stdout.splitlines()
    found = json.loads(run("score", "--data", dsd100, "--model", model, *options, "--json").stdout)
    assert text[1] == "no BSS Eval; vocals, dB"
    for line, source in zip(text[-2:], ("vocals", "accompaniment")):
        assert line.split() == ["all,", source, f"{found['summary'][f'usdr_{source}']:.2f}"]


def test_park2018_takes_clips_at_their_natural_levels(run, tmp_path, model):
    voice, music = 0.01 * seeded_noise(4000, 0), 0.1 * seeded_noise(4000, 1)
    for name in ("abjones_1_01", "singer_1_01"):
        path = tmp_path / f"{name}.wav"
        write(path, np.stack([music, voice], axis=1), SAMPLE_RATE, "FLOAT")
    separator = sksvs.load(model)
    sir = {}
    for protocol, mix in (("huang2014", "0dB"), ("park2018", "natural")):
        options = ["--protocol", protocol, "--quiet", "--json"]
        result = run("score", "--data", tmp_path, "--model", model, *options)
        sir[protocol] = json.loads(result.stdout)["summary"]["sir_vocals"]
        clips = load_mir1k(tmp_path, "test", mix=mix)
        expected = evaluate(separator, clips.X, clips.y, protocol=protocol)
        assert sir[protocol] == pytest.approx(expected.scores["estimate"].sir)
    assert sir["huang2014"] > sir["park2018"] + 5  # mixed at 0 dB, and at -20 dB


@pytest.mark.parametrize("subset", ["all", "Dev", ""])
def test_a_subset_that_no_corpus_has_is_a_wrong_argument(run, dsd100, model, subset):
    result = run("score", "--data", dsd100, "--model", model, "--subset", subset)
    assert result.exit_code == 2
    assert f"'--subset': {subset!r} is not one of 'train', 'dev', 'test'" in result.stderr


def test_a_folder_without_songs_is_an_error(run, tmp_path, model):
    result = run("score", "--data", tmp_path, "--model", model)
    assert result.exit_code == 1
    assert "is none of the folders that are known" in result.stderr
    result = run("score", "--data", tmp_path, "--corpus", "mir1k", "--model", model)
    assert "holds no clips of subset 'test'" in result.stderr


def test_a_report_is_written_beside_the_table(run, dsd100, model, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "scores.html"
    options = ["--model", model, "--oracle", "--quiet", "--report", path]
    result = run("score", "--data", dsd100, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    page = path.read_text()
    assert "<title>mixture on dsd100, test</title>" in page
    names = load_dsd100(dsd100, "test").names
    assert all(page.count(name) >= 2 for name in names)  # in the table and above a player
    assert page.count('sksvs-player"') == len(names)


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_scored(
    run, dsd100, model, tmp_path, monkeypatch
):
    monkeypatch.setattr("sksvs.metrics.evaluate", None)
    options = ["--data", dsd100, "--model", model, "--report"]
    result = run("score", *options, tmp_path / "none" / "scores.html")
    assert result.exit_code == 2
    assert f"'--report': {tmp_path}/none does not exist." in result.stderr
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run("score", *options, tmp_path / "scores.html")
    assert result.exit_code == 2
    assert "--report needs matplotlib: pip install 'sksvs[plot]'." in result.stderr
