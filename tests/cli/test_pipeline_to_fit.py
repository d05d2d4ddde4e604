"""`sksvs fit` on a folder of stems, with other sources, losses and parameters, and from a model."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import sksvs
from sksvs.audio import AudioFile, write
from sksvs.cli.training_plan import FINE_TUNING_RATE
from sksvs.datasets import make_singing_mixtures
from tests.strategies import SAMPLE_RATE

SMALL = ["--network", "gru", "--hidden-sizes", 4, "--n-fft", 64, "--epochs", 1, "--quiet"]
STEMS = ("vocals", "bass", "drums", "other")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def stems(tmp_path_factory):
    """Return a folder of three songs with four stems."""
    root = tmp_path_factory.mktemp("stems")
    for i in range(3):
        folder = root / f"Artist {i} - Title"
        folder.mkdir()
        [_], [pair] = make_singing_mixtures(1, 0.5, SAMPLE_RATE, random_state=i)
        for name, samples in zip(STEMS, [*pair, 0.5 * pair[1], 0.2 * pair[0][::-1]]):
            write(folder / f"{name}.flac", samples, SAMPLE_RATE)
    return root


@pytest.fixture(scope="module")
def four(stems, tmp_path_factory):
    """Return the path of a model of four sources, in the order of STEMS."""
    from click.testing import CliRunner

    from sksvs.cli import cli

    out = tmp_path_factory.mktemp("four") / "four.safetensors"
    command = ["fit", "--data", stems, "--sources", ",".join(STEMS), *SMALL, "-o", out]
    result = CliRunner().invoke(cli, [str(word) for word in command])
    assert (result.exit_code, result.stderr) == (0, "")
    return out


def test_a_folder_of_stems_is_trained_on_scored_and_separated(run, stems, tmp_path):
    out = tmp_path / "mine.safetensors"
    fitted = run("fit", "--data", stems, *SMALL, "-o", out)
    assert (fitted.exit_code, fitted.stderr) == (0, "")
    pipeline, card = sksvs.load(out, return_card=True)
    facts = {"corpus": "stems", "subset": "train", "folder": stems.name, "n_tracks": 3}
    assert card == facts
    assert pipeline[-1].source_names_ == ("vocals", "accompaniment")
    scored = run("score", "--data", stems, "--model", out, "--quiet")
    assert (scored.exit_code, scored.stderr) == (0, "")
    assert re.findall(r"^Artist \d - Title", scored.stdout, re.M) == sorted(
        path.name for path in stems.iterdir()
    )
    song = stems / "Artist 0 - Title" / "other.flac"
    separated = run("separate", song, "--model", out, "-o", tmp_path / "separated")
    assert (separated.exit_code, separated.stderr) == (0, "")
    voice = AudioFile(tmp_path / "separated" / "other" / "vocals.flac")
    assert voice.shape == AudioFile(song).shape


def test_four_sources_are_separated_and_scored_by_their_names(run, stems, four, tmp_path):
    assert sksvs.load(four)[-1].source_names_ == STEMS
    scored = run("score", "--data", stems, "--model", four, "--json", "--quiet")
    assert (scored.exit_code, scored.stderr) == (0, "")
    assert sum("sdr" in name for name in json.loads(scored.stdout)["tracks"][0]) == len(STEMS)
    song = stems / "Artist 1 - Title" / "vocals.flac"
    run("separate", song, "--model", four, "-o", tmp_path)
    written = sorted(path.stem for path in (tmp_path / "vocals").iterdir())
    assert written == sorted(STEMS)


def test_a_fit_goes_on_from_a_model(run, stems, four, tmp_path):
    out = tmp_path / "more.safetensors"
    goes_on = ["--start", four, "--epochs", 2, "--seed", 5, "--quiet"]
    result = run("fit", "--data", stems, *goes_on, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    (before, card), (after, of_after) = (sksvs.load(p, return_card=True) for p in (four, out))
    assert after[-1].n_iter_ == before[-1].n_iter_ + 2
    assert after[-1].loss_curve_[:1] == before[-1].loss_curve_
    assert after[-1].source_names_ == STEMS
    given = {"max_iter": 2, "random_state": 5, "learning_rate_init": FINE_TUNING_RATE}
    expected, actual = (
        {k: v for k, v in x[-1].get_params(deep=False).items() if k != "augmentation"}
        for x in (before, after)
    )
    assert actual == expected | given
    assert str(after[-1].augmentation) == str(before[-1].augmentation)
    assert of_after == {"started_from": "four", **card}
    changed = {
        name: float(np.abs(after[-1].weights_[name] - array).max())
        for name, array in before[-1].weights_.items()
    }
    assert 0 < max(changed.values()) < 0.1


@pytest.mark.slow
def test_the_terms_of_a_model_stay_with_what_starts_from_it(run, stems, tmp_path):
    out = tmp_path / "tuned.safetensors"
    options = ["--start", "voice-live", "--epochs", 1, "--songs", 1, "--quiet"]
    result = run("fit", "--data", stems, *options, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    pipeline, card = sksvs.load(out, return_card=True)
    of_start = sksvs.pretrained("voice-live", return_card=True)[1]
    assert card["started_from"] == "voice-live"
    assert (card["licence"], card["sources"]) == (of_start["licence"], of_start["sources"])
    assert pipeline[-1].others_weight == 1
    assert pipeline[-1].augmentation.effects == 0  # the songs are no dry voices
    assert pipeline["stft"].sample_rate == 44100  # to which songs at 8 kHz are resampled


@pytest.mark.slow
def test_parameters_come_from_a_file_and_go_before_options(run, stems, tmp_path):
    out, params = tmp_path / "model.safetensors", tmp_path / "params.json"
    values = {
        "crn__conv_channels": [4, 6],
        "crn__dual_path_sizes": [[2, 3]],
        "crn__max_iter": 2,
        "crn__ema_momentum": 0.9,
        "crn__augmentation__limit": 0.5,
        "stft__n_fft": 80,
        "stft__window": "hann",
    }
    params.write_text(json.dumps(values))
    options = ["--params", params, "--n-fft", 64, "--hop-length", 20, "--loss"]
    options += ["magnitude_squared_error", "--augment", "gain_db=3,speed=0.2/0,limit=0.1"]
    result = run("fit", "--data", stems, *options, "-o", out, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    pipeline = sksvs.load(out)
    crn, stft = pipeline[-1], pipeline["stft"]
    assert (crn.conv_channels, crn.dual_path_sizes) == ((4, 6), ((2, 3),))
    assert (crn.n_iter_, crn.ema_momentum, crn.loss) == (2, 0.9, "magnitude_squared_error")
    augmentation = crn.augmentation
    assert (augmentation.gain_db, augmentation.speed) == (3.0, (0.2, 0.0))
    assert (augmentation.limit, augmentation.remix) == (0.5, 0.5)
    assert (stft.n_fft, stft.hop_length, stft.window) == (80, 20, "hann")


@pytest.mark.slow
def test_the_packaged_network_is_trained_with_the_parameters_of_a_file(run, stems, tmp_path):
    out, params = tmp_path / "voice.safetensors", BENCHMARKS / "voice_params.json"
    options = ["--params", params, "--songs", 1, "--epochs", 6, "--augment", "gain_db=1", "--quiet"]
    result = run("fit", "--data", stems, *options, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    trained, packaged = sksvs.load(out), sksvs.pretrained("voice")
    assert trained[-1].layers_ == packaged[-1].layers_
    own, expected = (x[-1].get_params(deep=False) for x in (trained, packaged))
    assert repr(own.pop("augmentation")) == repr(expected.pop("augmentation"))
    assert own == expected
    assert [trained["stft"].n_fft, trained["stft"].hop_length] == [4096, 2048]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--start", "voice", "--n-fft", 64], "--n-fft is fixed by the model of --start"),
        (["--start", "voice", "--network", "gru"], "--network is fixed by the model of --start"),
        (["--start", "voice-mir1k"], "--start must be a model of one network; got"),
        (["--start", "voice", "--sources", "a,b,c"], "must be 2 with the model of --start"),
        (["--start", "nowhere"], "nowhere is neither a file nor a packaged model (voice, "),
        (["--loss", "wrong"], "it must be one of 'binary_crossentropy'"),
        (["--augment", "loud=1"], "any of gain_db, remix, shift, speed"),
        (["--augment", "remix=2"], "remix must be a probability, from 0 to 1; got 2.0."),
        (["--augment", "remix"], "it must be none, or names and values such as gain_db=6"),
        (["--params", "params.json"], "--params: Invalid parameter 'wrong'"),
        (["--params", "list.json"], "list.json must hold a JSON object"),
        (["--params", "value.json"], "dropout must be at least 0 and below 1; got 2"),
        (["--sources", "vocals"], "sources must be two different names or more"),
    ],
)
def test_what_does_not_fit_is_refused(run, stems, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.json").write_text('{"wrong": 1}')
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "value.json").write_text('{"crn__dropout": 2}')
    result = run("fit", "--data", stems, *options, "-o", "out", "--quiet")
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()
