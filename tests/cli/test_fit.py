import json
import re
import shutil

import pytest

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.cli.training_plan import FINE_TUNING_RATE, HOURS, choose_window, make_separator
from sksvs.networks.spec import is_causal
from tests.strategies import seeded_noise


def test_a_model_is_learnt_and_saved(run, dsd100, tmp_path):
    out, card = tmp_path / "model.safetensors", tmp_path / "card.json"
    card.write_text(json.dumps({"author": "none"}))
    small = ["--hidden-sizes", "4,3", "--epochs", 1, "--n-fft", 64, "--hop-length", 32]
    folder = tmp_path / "checkpoints"
    options = ["--forwards-only", "--card", card, "--checkpoints", folder, "--seed", 3, "--quiet"]
    result = run("fit", "--data", dsd100, "-o", out, *small, *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{out}\n", "")
    pipeline, card = sksvs.load(out, return_card=True)
    assert card == {"corpus": "dsd100", "subset": "train", "n_tracks": 2, "author": "none"}
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


@pytest.mark.parametrize("network", ["crn", "gru"])
def test_what_is_not_asked_for_is_as_the_plan_has_it(run, dsd100, tmp_path, network):
    out = tmp_path / "model.safetensors"
    kind = [] if network == "crn" else ["--network", network]
    given = [*kind, "--n-fft", 64, "--songs", 1, "--quiet", "--mixed-precision"]
    result = run("fit", "--data", dsd100, "-o", out, "--epochs", 1, *given)
    assert (result.exit_code, result.stderr) == (0, "")
    pipeline = sksvs.load(out)
    expected = make_separator(network, max_iter=1, random_state=0, mixed_precision=True)
    actual, expected = (x.get_params() for x in (pipeline.named_steps[network], expected))
    del actual["augmentation"], expected["augmentation"]  # whose parameters are among them
    assert actual == expected
    assert (pipeline["stft"].hop_length, pipeline["stft"].window) == (32, "cosine")
    assert pipeline[-1].source_names_ == ("vocals", "accompaniment")


@pytest.mark.slow
def test_a_causal_network_is_a_gru_unless_convolutions_are_asked_for(run, dsd100, tmp_path):
    for network, options in (("gru", []), ("crn", ["--network", "crn"])):
        out = tmp_path / f"{network}.safetensors"
        small = ["--n-fft", 64, "--songs", 1, "--epochs", 1, "--quiet"]
        result = run("fit", "--data", dsd100, "-o", out, "--forwards-only", *options, *small)
        assert (result.exit_code, result.stderr) == (0, "")
        assert is_causal(sksvs.load(out).named_steps[network].layers_)


def test_it_is_said_what_is_trained(run, dsd100, tmp_path):
    out = tmp_path / "model.safetensors"
    small = ["--network", "gru", "--hidden-sizes", 4, "--n-fft", 64, "--augment", "none"]
    result = run("fit", "--data", dsd100, "-o", out, *small, "--hours", 0.001)
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    first, *epochs = result.stderr.splitlines()
    assert re.fullmatch(
        r"Training a GRU network of 1,\d00 parameters on 2 tracks \(1\.2 s\): "
        r"3 epochs, 3\.6 s of audio\.",
        first,
    )
    assert [line.partition(":")[0] for line in epochs] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    pipeline = sksvs.load(out)
    assert (pipeline[-1].n_iter_, pipeline[-1].augmentation) == (3, None)


def test_songs_of_several_rates_are_trained_on_as_they_are_or_not_at_all(run, dsd100, tmp_path):
    shutil.copytree(dsd100, tmp_path / "corpus")
    song = min((tmp_path / "corpus" / "Mixtures" / "Dev").iterdir()).name
    for path in (tmp_path / "corpus").rglob(f"{song}/*.wav"):
        write(path, AudioFile(path)[:], 16000, "FLOAT")
    command = ["fit", "--data", tmp_path / "corpus", "-o", tmp_path / "out", "--epochs", 1]
    small = ["--network", "gru", "--hidden-sizes", 4, "--n-fft", 64, "--quiet"]
    result = run(*command, *small)
    assert result.exit_code == 2
    assert "sample rates from 8000 to 16000 Hz, and songs that are mixed" in result.stderr
    assert run(*command, *small, "--augment", "none").exit_code == 0


def test_the_help_says_what_the_plan_has(run):
    words = " ".join(run("fit", "--help").stdout.split())
    crn, gru = (make_separator(network).get_params() for network in ("crn", "gru"))

    def said(option):
        return words[words.index(option) :].partition("[")[2].partition("]")[0]

    for option, parameter in (
        ("--hidden-sizes", "hidden_layer_sizes"),
        ("--batch-size", "batch_size"),
        ("--dropout", "dropout"),
    ):
        of_crn, of_gru = (
            (",".join(map(str, x)) or "none") if isinstance(x, tuple) else str(x)
            for x in (crn[parameter], gru[parameter])
        )
        assert said(option) == (of_gru if of_crn == of_gru else f"{of_gru}; crn: {of_crn}")
    at_44_khz = [round(hours * 16 / 44.1) for hours in (HOURS["crn"], HOURS["gru"])]
    assert said("--learning-rate").endswith(f"with --start: {FINE_TUNING_RATE}")
    assert said("--hours").endswith(
        f"{HOURS['crn']:.0f} at 16 kHz, {at_44_khz[0]} at 44.1 kHz; gru: {HOURS['gru']:.0f} and "
        f"{at_44_khz[1]}"
    )
    windows = [choose_window(rate)[0] for rate in (16000, 44100)]
    assert said("--n-fft") == "64 ms: {} at 16 kHz, {} at 44.1 kHz".format(*windows)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["-o", "none/model"], 2, "none does not exist, so model cannot be written"),
        (
            ["-o", "m", "--hidden-sizes", "8,x"],
            2,
            "integers from 1 to 4096; got 8,x",
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
