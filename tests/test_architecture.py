"""Imports run one way, heavy packages have one door each, modules stay short."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sksvs

PACKAGE = Path(sksvs.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """Return the full names of all modules that a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part(path):
    """Return what a module belongs to: "waveform", "transforms", …"""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parts_imported_by(name):
    return {
        module.split(".")[1]
        for path in MODULES
        if part(path) == name
        for module in imported(path)
        if module.startswith("sksvs.")
    } - {name}


MAY_IMPORT = {
    "_background": set(),
    "_centred": {"waveform"},
    "_checks": set(),
    "_parameters": {"augmentation"},
    "_atomic": set(),
    "_sources": {"_checks"},
    "_stft": {"_parameters"},
    "_terminal": set(),
    "_visible_files": set(),
    "masks": set(),
    "_model_values": {"_parameters", "augmentation", "spectrogram"},
    "_model_steps": {"_model_values", "_parameters", "estimators", "spectrogram", "transforms"},
    "_savable": {"_atomic", "_model_steps", "_model_values", "estimators"},
    "model_file": {"_atomic", "_model_steps", "_model_values", "_parameters", "_savable"},
    "waveform": {"_checks"},
    "audio": {"_atomic", "_checks", "_sources", "waveform"},
    "spectrogram": {"_stft", "waveform"},
    "_tracks": {"_checks", "_parameters", "_sources", "spectrogram", "waveform"},
    "augmentation": {"_parameters", "audio"},
    "datasets": {"_tracks", "_visible_files", "audio", "waveform"},
    "_pretrained": {"model_file"},
    "_export": {"_atomic", "estimators", "networks"},
    "separation": {"_background", "_visible_files", "audio", "spectrogram", "waveform"},
    "metrics": {
        "_background",
        "_centred",
        "_checks",
        "_parameters",
        "_terminal",
        "_tracks",
        "spectrogram",
        "waveform",
    },
    "transforms": {"_centred", "_parameters", "_tracks", "masks", "spectrogram", "waveform"},
    "cli": {
        "_model_steps",
        "_parameters",
        "_pretrained",
        "_terminal",
        "audio",
        "datasets",
        "estimators",
        "metrics",
        "model_file",
        "separation",
        "transforms",
    },
    "networks": set(),
    "prediction": {"_background", "_stft", "networks", "spectrogram"},
    "estimators": {
        "_atomic",
        "_background",
        "_centred",
        "_checks",
        "_model_values",
        "_parameters",
        "_stft",
        "_terminal",
        "_tracks",
        "augmentation",
        "masks",
        "metrics",
        "spectrogram",
        "waveform",
        "networks",
        "prediction",
    },
}


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_run_one_way(name):
    assert parts_imported_by(name) <= MAY_IMPORT[name]


def test_every_module_is_covered_by_the_rule_above():
    assert {part(path) for path in MODULES} == {"__init__", *MAY_IMPORT}


@pytest.mark.parametrize(
    ("package", "doors"),
    [
        (
            "tensorflow",
            "estimators/_conv_layers.py estimators/_frame_products.py estimators/_gru_layers.py "
            "estimators/_network.py "
            "estimators/_replicas.py estimators/_rnn_layers.py estimators/_wide_recurrence.py",
        ),
        (
            "keras",
            "estimators/_conv_layers.py estimators/_gru_layers.py estimators/_losses.py "
            "estimators/_network.py "
            "estimators/_rnn_layers.py",
        ),
        ("soundfile", "audio/encoding.py audio/sndfile.py audio/writing.py"),
        ("av", "audio/ffmpeg.py"),
        ("onnx", "networks/onnx/graph.py"),
        ("onnxruntime", "networks/onnx/session.py"),
        ("soxr", "audio/resampling.py audio/writing.py"),
        ("safetensors", "model_file.py"),
        (
            "click",
            "cli/__init__.py cli/_fit.py cli/_info.py cli/_options.py cli/_score.py "
            "cli/_separate.py",
        ),
        ("mir_eval", "metrics/_mir_eval.py"),
    ],
)
def test_a_heavy_package_has_one_door(package, doors):
    importers = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(name.split(".")[0] == package for name in imported(path))
    ]
    assert importers == doors.split()


def test_nothing_private_of_scikit_learn_is_imported():
    names = set().union(*map(imported, MODULES))
    private = [n for n in names if n.startswith("sklearn.") and "._" in n]
    assert private == []


def test_tensorflow_is_not_imported_before_fit():
    code = (
        "import sys, sksvs, sksvs.datasets, sksvs.estimators, sksvs.metrics, sksvs.model_file;"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_line_starts_without_what_its_commands_need():
    code = (
        "import sys, sksvs.cli;"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'sklearn', 'soundfile', 'tqdm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_import_sksvs_imports_nothing_else():
    code = "import sys, sksvs; sys.exit('numpy' in sys.modules or 'sksvs.audio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_imported_when_asked_for_is_where_it_is_said_to_be():
    for name, module in sksvs._MADE_AVAILABLE.items():
        assert getattr(sksvs, name).__module__ == module


def test_modules_stay_short():
    long = {path.name: n for path in MODULES if (n := len(path.read_text().splitlines())) > 330}
    assert long == {}
