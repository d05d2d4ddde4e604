"""Benchmarks and examples import public names of sksvs, or say beside the import why not."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "examples").glob("*.py")])
PUBLIC = [
    "sksvs",
    "sksvs.audio",
    "sksvs.augmentation",
    "sksvs.datasets",
    "sksvs.display",
    "sksvs.effects",
    "sksvs.estimators",
    "sksvs.masks",
    "sksvs.metrics",
    "sksvs.model_files",
    "sksvs.separation",
    "sksvs.stft",
    "sksvs.testing",
    "sksvs.training",
    "sksvs.transforms",
]
REASON = "private: "  # in a comment on the line of the import


def public_names(module):
    """Return the names that a public module exports: `__all__`, else what it defines itself."""
    module = import_module(module)
    if hasattr(module, "__all__"):
        return set(module.__all__)
    own = {
        n for n in dir(module) if getattr(getattr(module, n), "__module__", "") == module.__name__
    }
    return {name for name in own if not name.startswith("_")}


def private_imports(code):
    """Return the imports of sksvs in `code` that are neither public nor explained."""
    lines, found = code.splitlines(), []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            private = [a.name for a in node.names if is_ours(a.name) and a.name not in PUBLIC]
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module):
            public = public_names(node.module) if node.module in PUBLIC else set()
            private = [f"{node.module}.{a.name}" for a in node.names if a.name not in public]
        else:
            continue
        if not any(REASON in line for line in lines[node.lineno - 1 : node.end_lineno]):
            found += private
    return found


def is_ours(module):
    """Return whether a module belongs to sksvs."""
    return module.split(".")[0] == "sksvs"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_public_names_or_says_why_not(script):
    assert private_imports(script.read_text()) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import sksvs, numpy", []),
        ("from sksvs.audio import AudioFile, write", []),
        ("from sksvs.augmentation import Augmentation", []),
        ("from sksvs.audio import write, writing", ["sksvs.audio.writing"]),
        ("from sksvs.audio.writing import writing", ["sksvs.audio.writing.writing"]),
        ("from sksvs.audio.writing import writing  # private: there is no other", []),
        ("from sksvs.audio.writing import (  # private: as above\n    writing,\n)", []),
        ("def f():\n    import sksvs.training.network", ["sksvs.training.network"]),
    ],
)
def test_what_is_private_is_found(code, found):
    assert private_imports(code) == found
