import json

import pytest

import sksvs
from sksvs.datasets import load_dsd100
from sksvs.metrics import evaluate


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
    assert found["summary"][f"oracle_{metric}_0"] > found["summary"][f"{metric}_0"] + 3


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
