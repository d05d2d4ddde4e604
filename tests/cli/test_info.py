import json
import platform
import subprocess
import sys

import numpy as np
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.augmentation import Augmentation
from sksvs.estimators import MixtureBaseline
from sksvs.model_files.packaged import pretrained_path
from sksvs.transforms import STFTTransformer
from tests.strategies import tiny_tracks


def test_versions_and_models_as_text(run, model):
    result = run("info", model)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["sksvs", sksvs.__version__] in lines
    assert ["numpy", np.__version__] in lines
    assert ["python", platform.python_version()] in lines
    assert f"{model}: {model.stat().st_size} bytes" in result.stdout
    assert "\n  source_names: vocals, accompaniment\n" in result.stdout
    assert (
        "stfttransformer: STFTTransformer\n    array_rate: None\n    hop_length: 32"
        in result.stdout
    )
    assert "\x9b" not in result.stdout  # which would command the terminal


def test_versions_and_models_as_json(run, model):
    found = json.loads(run("info", model, "--json").stdout)
    assert found["versions"]["scikit-learn"]
    assert found["versions"]["libsndfile"][0].isdigit()
    (described,) = found["models"]
    assert described["card"] == {"data": "none\x9b"}
    assert [step["class"] for step in described["steps"]][-1] == "MixtureBaseline"
    assert (described["n_sources"], described["n_params"]) == (2, 0)
    assert described["source_names"] == ["vocals", "accompaniment"]


def test_packaged_models_are_described_where_none_is_named(run):
    found = json.loads(run("info", "--json").stdout)["models"]
    assert [model["path"] for model in found] == list(
        map(str, map(pretrained_path, sksvs.pretrained_names()))
    )
    (named,) = json.loads(run("info", "voice", "--json").stdout)["models"]
    assert named == found[sksvs.pretrained_names().index("voice")]


def test_parameters_are_printed_as_they_are_written_in_python(run):
    lines = [line.strip() for line in run("info", "voice-free").stdout.splitlines()]
    network = sksvs.pretrained("voice-free")[-1]
    assert f"dual_path_sizes: {network.dual_path_sizes}" in lines
    (augmentation,) = [line for line in lines if line.startswith("augmentation: ")]
    printed = eval(augmentation.removeprefix("augmentation: "), {"Augmentation": Augmentation})
    assert printed.get_params() == network.augmentation.get_params()


def test_licence_and_sources_are_printed_as_text(run, model, tmp_path):
    path = tmp_path / "own.safetensors"
    source = {"name": "a corpus", "terms": "CC0-1.0\n\x9b", "hours": 2.5}
    card = {"licence": "MIT", "sources": [source], "limits": "none"}
    sksvs.save(sksvs.load(model), path, card=card)
    expected = (
        "  licence: MIT\n  sources:\n    a corpus: 2.5 hours, CC0-1.0\\n\\x9b\n"
        '  card: {\n    "limits": "none"\n  }\n'
    )
    assert run("info", path).stdout.endswith(expected)
    for sources in ("MIR-1K", ["MIR-1K"], [{"name": "a"}]):
        sksvs.save(sksvs.load(model), path, card={"sources": sources})
        result = run("info", path)
        assert (result.exit_code, '  card: {\n    "sources": ' in result.stdout) == (0, True)


def test_a_false_model_is_an_error(run, tmp_path):
    (tmp_path / "model").write_bytes(b"")
    result = run("info", tmp_path / "model")
    assert result.exit_code == 1
    assert "model cannot be loaded as a model: it has 0 bytes" in result.stderr


def test_a_false_model_does_not_stop_the_others(run, model, tmp_path):
    false = tmp_path / "false"
    false.write_bytes(b"")
    text = run("info", model, false)
    assert text.exit_code == 1
    assert text.stderr.startswith(f"Error: {false} cannot be loaded as a model: it has 0 bytes")
    assert len(text.stderr.splitlines()) == 1
    assert f"{model}: {model.stat().st_size} bytes" in text.stdout
    as_json = run("info", false, model, "--json")
    assert as_json.exit_code == 1
    assert [m["path"] for m in json.loads(as_json.stdout)["models"]] == [str(model)]


def test_what_a_model_says_cannot_look_like_a_line_of_its_own(run, tmp_path):
    name = "stft\nforged: line"
    steps = [(name, STFTTransformer(64, 32)), ("last", MixtureBaseline())]
    path = tmp_path / "model\nforged: line"
    sksvs.save(Pipeline(steps).fit(*tiny_tracks(1)), path)
    result = run("info", path)
    assert result.exit_code == 0
    assert "  stft\\nforged: line: STFTTransformer" in result.stdout
    assert not any(line.startswith("forged") for line in result.stdout.splitlines())


def test_tensorflow_is_not_imported_for_versions_and_models(model):
    code = (
        "import sys; from sksvs.cli import cli;"
        "cli.main(['info', sys.argv[1]], standalone_mode=False);"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code, model], check=False).returncode == 0
