import json
import shutil

import click
import pytest

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.cli.fit import fit
from sksvs.estimators import CRNSeparator, GRUMaskSeparator
from sksvs.transforms import STFTTransformer
from tests.strategies import seeded_noise


def test_a_model_is_learnt_and_saved(run, dsd100, tmp_path):
    out, card = tmp_path / "model.safetensors", tmp_path / "card.json"
    card.write_text(json.dumps({"licence": "none"}))
    small = ["--hidden-sizes", "4,3", "--epochs", 1, "--n-fft", 64, "--hop-length", 32]
    folder = tmp_path / "checkpoints"
    options = ["--forwards-only", "--card", card, "--checkpoints", folder, "--seed", 3, "--quiet"]
    result = run("fit", "--data", dsd100, "-o", out, *small, *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{out}\n", "")
    pipeline, card = sksvs.load(out, return_card=True)
    assert card == {"corpus": "dsd100", "subset": "train", "n_tracks": 2, "licence": "none"}
    assert pipeline[-1].hidden_layer_sizes == (4, 3)
    assert (pipeline[-1].random_state, pipeline[-1].bidirectional) == (3, False)
    assert pipeline[-1].stft_params_.sample_rate == 8000
    faster = tmp_path / "faster.wav"
    write(faster, seeded_noise(44100, 0, 0.1), 44100)
    separated = run("separate", faster, "-o", tmp_path / "out", "--model", out)
    assert (separated.exit_code, separated.stderr) == (0, "")
    assert AudioFile(tmp_path / "out" / "faster" / "vocals.wav").shape == (44100,)
    assert len(list(folder.glob("*.npz"))) == 1
    scored = run("score", "--data", dsd100, "--model", out, "--quiet", "--songs", 1)
    assert scored.exit_code == 0


@pytest.mark.parametrize("kind", [GRUMaskSeparator, CRNSeparator])
def test_what_is_not_asked_for_is_as_the_estimators_have_it(run, dsd100, tmp_path, kind):
    network = {GRUMaskSeparator: "gru", CRNSeparator: "crn"}[kind]
    out = tmp_path / "model.safetensors"
    given = ["--network", network, "--n-fft", 64, "--hop-length", 32, "--songs", 1, "--quiet"]
    result = run("fit", "--data", dsd100, "-o", out, "--epochs", 1, "--mixed-precision", *given)
    assert (result.exit_code, result.stderr) == (0, "")
    pipeline = sksvs.load(out)
    expected = kind(max_iter=1, random_state=0, mixed_precision=True)
    assert pipeline.named_steps[network].get_params() == expected.get_params()


@pytest.mark.parametrize("kind", [GRUMaskSeparator, CRNSeparator])
def test_the_help_says_what_the_estimators_have(run, kind):
    words = " ".join(run("fit", "--help").stdout.split())
    own, gru = (estimator().get_params() for estimator in (kind, GRUMaskSeparator))
    for option, parameter in (
        ("--hidden-sizes", "hidden_layer_sizes"),
        ("--epochs", "max_iter"),
        ("--batch-size", "batch_size"),
        ("--dropout", "dropout"),
        ("--learning-rate", "learning_rate_init"),
    ):
        said = words[words.index(option) :].partition("[")[2].partition("]")[0]
        value, of_gru = (
            ",".join(map(str, x)) if isinstance(x, tuple) else str(x)
            for x in (own[parameter], gru[parameter])
        )
        assert said.partition(";")[0] == of_gru
        assert value == of_gru or said.endswith(f"crn: {value}")
    stft, context = STFTTransformer(), click.Context(fit)
    defaults = {parameter.name: parameter.get_default(context) for parameter in fit.params}
    assert (defaults["n_fft"], defaults["hop_length"]) == (stft.n_fft, stft.hop_length)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["-o", "none/model"], 2, "none does not exist, so model cannot be written"),
        (
            ["-o", "m", "--hidden-sizes", "8,x"],
            2,
            "integers from 1 to 4096; got 8,x",
        ),
        (
            ["-o", "m", "--network", "crn", "--forwards-only"],
            2,
            "is for --network gru: convolutions",
        ),
        (["-o", "list.json/m"], 2, "list.json is no folder, so m cannot be written"),
        (["-o", "/proc/m"], 2, "/proc/m cannot be written"),
        (["-o", "m", "--hidden-sizes", "1" + 16 * ",1"], 2, "a tuple of 0 to 16 integers"),
        (["-o", "m", "--hidden-sizes", "4097"], 2, "from 1 to 4096; got 4097"),
        (["-o", "m", "--epochs", "50000"], 2, "it would have 50000 losses"),
        (["-o", "m", "--card", "wrong.json"], 2, "wrong.json is no JSON file"),
        (["-o", "m", "--card", "list.json"], 2, "list.json must hold a JSON object"),
        (["-o", "m", "--card", "nan.json"], 2, "nan.json: card cannot be written as JSON (Out of"),
        (["-o", "m", "--card", "deep.json"], 2, "(it is nested too deeply)"),
        (["-o", "m", "--card", "large.json"], 2, "large.json: card takes"),
        (["-o", "m"], 1, "is none of the folders that are known"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_learnt(
    run, tmp_path, monkeypatch, options, code, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "nan.json").write_text('{"x": NaN}')
    (tmp_path / "deep.json").write_text('{"x": ' + "[" * 20 + "]" * 20 + "}")
    (tmp_path / "large.json").write_text(json.dumps({"x": "x" * 600_000}))
    result = run("fit", "--data", tmp_path, *options)
    assert result.exit_code == code
    assert message in result.stderr


@pytest.mark.parametrize("command", ["fit", "score"])
def test_a_corpus_with_a_file_that_was_cut_short_is_refused_if_asked_for(
    run, dsd100, model, tmp_path, command
):
    shutil.copytree(dsd100, tmp_path / "corpus")
    for path in (tmp_path / "corpus").rglob("vocals.wav"):
        path.write_bytes(path.read_bytes()[:-400])
    options = ["-o", tmp_path / "out"] if command == "fit" else ["--model", model]
    result = run(command, "--data", tmp_path / "corpus", "--strict", "--quiet", *options)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "vocals.wav is cut short: 4700 samples" in line
