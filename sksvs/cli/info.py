"""The command that says what is installed, and what is in a model file."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

import sksvs
from sksvs.cli.output import in_a_line, one_line, to_json

PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "tensorflow", "onnxruntime", "soundfile", "av", "soxr"),
    "safetensors",
)


@click.command()
@click.argument(
    "models",
    metavar="[MODEL...]",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def info(ctx, models, as_json):
    """Say which versions are installed, which models are packaged, and what is in model files.

    A file that is no model does not stop the others: it is named on stderr, and the exit code is 1.
    """
    from sksvs.model_files.packaged import pretrained_names, pretrained_path

    packaged = list(map(pretrained_path, pretrained_names()))
    described = [_describe(path) for path in (*packaged, *models)]
    found = {
        "versions": _versions(),
        "packaged_models": [model for model in described[: len(packaged)] if model],
        "models": [model for model in described[len(packaged) :] if model],
    }
    click.echo(to_json(found) if as_json else _as_text(found))
    if None in described:
        ctx.exit(1)


def _versions():
    """Return versions by name, without importing what is large; None: not installed."""
    versions = {"sksvs": sksvs.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    from sksvs.audio import libsndfile_version

    return versions | {"libsndfile": libsndfile_version()}


def _describe(path):
    """Return what is in a model file; None, after a line on stderr, if it cannot be loaded."""
    from sksvs.model_files.model_file import load
    from sksvs.model_files.steps import describe_step

    try:
        pipeline, card = load(path, return_card=True)
    except Exception as error:  # whatever it is, it is said, and the other models are described
        click.echo(f"Error: {one_line(error)}", err=True)
        return None
    steps = [_without_learnt(describe_step(name, step)) for name, step in pipeline.steps]
    separator = pipeline[-1]
    has_network = hasattr(separator, "count_params")
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "sample_rate": separator.stft_params_.sample_rate,
        "n_sources": separator.n_sources_,
        "source_names": separator.source_names_,
        "n_params": separator.count_params() if has_network else 0,
        "steps": steps,
        "card": card,
    }


def _without_learnt(step):
    """Return the description of a step, and of the members among its parameters, as it was set."""
    del step["learnt"]
    for member in step["parameters"].get("estimators", []):
        _without_learnt(member)
    return step


def _as_text(found):
    width = max(map(len, found["versions"]))
    lines = [f"{name:<{width}}  {v or 'none'}" for name, v in found["versions"].items()]
    if not found["packaged_models"]:
        lines += ["", "No model is packaged."]
    for model in [*found["packaged_models"], *found["models"]]:
        lines += ["", f"{in_a_line(model['path'])}: {model['bytes']} bytes"]
        for name in ("sample_rate", "n_sources", "n_params"):
            lines.append(f"  {name}: {model[name]}")
        lines.append(f"  source_names: {', '.join(model['source_names'])}")
        for step in model["steps"]:
            lines += _step_as_lines(step, "  ")
        lines.append("  card: " + to_json(model["card"]).replace("\n", "\n  "))
    return "\n".join(lines)


def _step_as_lines(step, indent):
    parameters = dict(step["parameters"])
    members = parameters.pop("estimators", [])
    lines = [f"{indent}{in_a_line(step['name'])}: {step['class']}"]
    lines += [f"{indent}  {key}: {in_a_line(_plain(value))}" for key, value in parameters.items()]
    for member in members:
        lines += _step_as_lines(member, indent + "  ")
    return lines


def _plain(value):
    """Return an encoded parameter as a reader expects it."""
    if isinstance(value, dict):
        ((tag, content),) = value.items()
        return tuple(content) if tag == "tuple" else f"{tag} {content}"
    return value
