import json
import platform
import subprocess
import sys

import numpy as np

import sksvs


def test_versions_and_models_as_text(run, model):
    result = run("info", model)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["sksvs", sksvs.__version__] in lines
    assert ["numpy", np.__version__] in lines
    assert ["python", platform.python_version()] in lines
    assert f"{model}: {model.stat().st_size} bytes" in result.stdout
    assert "stfttransformer: STFTTransformer\n    array_rate: None\n    hop_length: 32" in result.stdout
    assert "\x9b" not in result.stdout  # which would command the terminal


def test_versions_and_models_as_json(run, model):
    found = json.loads(run("info", model, "--json").stdout)
    assert found["versions"]["scikit-learn"]
    assert found["versions"]["libsndfile"][0].isdigit()
    (described,) = found["models"]
    assert described["card"] == {"data": "none\x9b"}
    assert [step["class"] for step in described["steps"]][-1] == "MixtureBaseline"
    assert (described["n_sources"], described["n_params"]) == (2, 0)


def test_a_false_model_is_an_error(run, tmp_path):
    (tmp_path / "model").write_bytes(b"")
    result = run("info", tmp_path / "model")
    assert result.exit_code == 1
    assert "model cannot be loaded as a model: it has 0 bytes" in result.stderr


def test_nothing_large_is_imported_for_the_versions():
    code = (
        "import sys; from sksvs.cli import cli; cli.main(['info'], standalone_mode=False);"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
