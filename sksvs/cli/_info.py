"""The command that says what is installed, and what is in a model file."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

import sksvs
from sksvs.cli._output import printable, to_json

PACKAGES = ("numpy", "scipy", "scikit-learn", "tensorflow", "soundfile", "soxr", "safetensors")


@click.command()
@click.argument(
    "models",
    metavar="[MODEL...]",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(models, as_json):
    """Say which versions are installed, which models are packaged, and what is in model files."""
    from sksvs._pretrained import pretrained_names, pretrained_path

    found = {
        "versions": _versions(),
        "packaged_models": [_describe(pretrained_path(name)) for name in pretrained_names()],
        "models": [_describe(path) for path in models],
    }
    click.echo(to_json(found) if as_json else printable(_as_text(found)))


def _versions():
    """Return versions by name, without importing what is large; None: not installed."""
    versions = {"sksvs": sksvs.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    import soundfile

    return versions | {"libsndfile": soundfile.__libsndfile_version__}


def _describe(path):
    from sksvs._model_steps import describe_step
    from sksvs.model_file import load

    pipeline, card = load(path, return_card=True)
    steps = [describe_step(name, step) for name, step in pipeline.steps]
    for step in steps:
        del step["learnt"]
    separator = pipeline[-1]
    has_network = hasattr(separator, "count_params")
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "sample_rate": separator.stft_params_.sample_rate,
        "n_sources": separator.n_sources_,
        "n_params": separator.count_params() if has_network else 0,
        "steps": steps,
        "card": card,
    }


def _as_text(found):
    width = max(map(len, found["versions"]))
    lines = [f"{name:<{width}}  {v or 'none'}" for name, v in found["versions"].items()]
    if not found["packaged_models"]:
        lines += ["", "No model is packaged."]
    for model in [*found["packaged_models"], *found["models"]]:
        lines += ["", f"{model['path']}: {model['bytes']} bytes"]
        for name in ("sample_rate", "n_sources", "n_params"):
            lines.append(f"  {name}: {model[name]}")
        for step in model["steps"]:
            lines.append(f"  {step['name']}: {step['class']}")
            lines += [f"    {key}: {_plain(value)}" for key, value in step["parameters"].items()]
        lines.append("  card: " + to_json(model["card"]).replace("\n", "\n  "))
    return "\n".join(lines)


def _plain(value):
    """Return an encoded parameter as a reader expects it."""
    if isinstance(value, dict):
        ((tag, content),) = value.items()
        return tuple(content) if tag == "tuple" else f"{tag} {content}"
    return value
