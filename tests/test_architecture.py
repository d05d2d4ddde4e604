"""Imports run downwards, heavy packages have one folder each, modules stay short."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sksvs

PACKAGE = Path(sksvs.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# What each folder, or module of the top level, may import of the package.
MAY_IMPORT = {
    "masks": "",
    "documentation": "",
    "system": "",
    "callback_support": "",
    "parameters": "",
    "audio": "system",
    "stft": "audio parameters",
    "effects": "",
    "augmentation": "audio effects parameters documentation",
    "typing": "audio",
    "transforms": "stft audio masks parameters callback_support documentation typing",
    "datasets": "stft audio system typing",
    # Evaluation.plot imports display when it is called, which shows scores of metrics.
    "metrics": "display stft audio effects parameters system typing",
    "display": "metrics stft audio system typing",
    "networks": "",
    "training": "networks stft audio augmentation masks parameters system",
    "prediction": "networks stft audio system",
    "estimators": "training prediction networks metrics stft audio augmentation masks parameters "
    "callback_support documentation system typing",
    "model_files": "estimators transforms training networks stft parameters system typing",
    "separation": "stft audio system typing",
    "testing": "model_files transforms datasets metrics stft audio masks",
    "cli": "display separation model_files estimators transforms datasets metrics audio "
    "augmentation parameters system",
}
# Folders below those: each learns or predicts, never both.
MAY_NOT_IMPORT = {
    "training": "networks.onnx",
    "prediction": "networks.keras",
    "estimators": "networks.keras networks.onnx",
    "networks/keras": "networks.onnx",
    "networks/onnx": "networks.keras",
}
DOORS = {  # of packages that take long to import, or are not everywhere
    "tensorflow": "networks/keras training",
    "keras": "networks/keras training",
    "onnx": "networks/onnx",
    "onnxruntime": "networks/onnx",
    "soundfile": "audio",
    "av": "audio",
    "soxr": "audio",
    "safetensors": "model_files",
    "click": "cli",
    "mir_eval": "metrics/bss_eval",
    "matplotlib": "display",
}


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
    """Return what a module belongs to: "masks", "transforms", …"""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_in(folder):
    """Return what the modules of a folder import."""
    inside = [path for path in MODULES if (PACKAGE / folder) in path.parents]
    assert inside
    return set().union(*map(imported, inside))


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_run_downwards(name):
    found = set().union(*(imported(path) for path in MODULES if part(path) == name))
    parts = {module.split(".")[1] for module in found if module.startswith("sksvs.")}
    parts -= {name, "__version__"}
    assert parts <= set(MAY_IMPORT[name].split())


def test_every_folder_is_covered_by_the_rule_above():
    assert {part(path) for path in MODULES} == {"__init__", *MAY_IMPORT}


@pytest.mark.parametrize("folder", MAY_NOT_IMPORT)
def test_what_trains_and_what_predicts_do_not_meet(folder):
    forbidden = tuple(f"sksvs.{name}" for name in MAY_NOT_IMPORT[folder].split())
    assert [name for name in imported_in(folder) if name.startswith(forbidden)] == []


@pytest.mark.parametrize("package", DOORS)
def test_a_heavy_package_has_one_door(package):
    folders = [PACKAGE / folder for folder in DOORS[package].split()]
    importers = [
        path for path in MODULES if any(name.split(".")[0] == package for name in imported(path))
    ]
    assert importers
    outside = [path for path in importers if not any(f in path.parents for f in folders)]
    assert outside == []


def test_the_tests_mirror_the_package():
    tests = Path(__file__).parent
    for path in tests.rglob("test_*.py"):
        folder = path.parent.relative_to(tests)
        if folder.parts and folder.parts[0] != "benchmarks":
            assert (PACKAGE / folder).is_dir(), f"{path} is where the package has no folder"


def test_nothing_private_of_scikit_learn_is_imported():
    names = set().union(*map(imported, MODULES))
    private = [n for n in names if n.startswith("sklearn.") and "._" in n]
    assert private == []


def test_tensorflow_is_not_imported_before_fit():
    code = (
        "import sys, sksvs, sksvs.datasets, sksvs.estimators, sksvs.metrics, sksvs.model_files;"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_line_starts_without_what_its_commands_need():
    code = (
        "import sys, sksvs.cli;"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'sklearn', 'soundfile', 'tqdm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_matplotlib_is_not_imported_before_something_is_drawn():
    code = "import sys, sksvs.cli, sksvs.display; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_import_sksvs_imports_nothing_else():
    code = "import sys, sksvs; sys.exit('numpy' in sys.modules or 'sksvs.audio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_imported_when_asked_for_is_where_it_is_said_to_be():
    for name, module in sksvs._LAZY_EXPORTS.items():
        assert getattr(sksvs, name).__module__ == module


def test_public_subpackages_are_imported_when_they_are_used():
    code = (
        "import sksvs; print(*(getattr(sksvs, name).__name__ for name in sksvs._SUBPACKAGES));"
        "sksvs.separation.separate_file"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.split() == [f"sksvs.{name}" for name in sksvs._SUBPACKAGES]


def test_modules_stay_short():
    long = {path.name: n for path in MODULES if (n := len(path.read_text().splitlines())) > 330}
    assert long == {}
