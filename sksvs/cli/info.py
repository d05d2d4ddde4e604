"""The command that lists installed versions and describes model files."""

import platform
from importlib.metadata import PackageNotFoundError, version

import click

import sksvs
from sksvs.cli.options import FILE, json_option
from sksvs.cli.output import in_a_line, one_line, to_json

PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "tensorflow", "onnxruntime", "soundfile", "av", "soxr"),
    "safetensors",
)


@click.command()
@click.argument("models", metavar="[MODEL...]", nargs=-1, type=FILE)
@json_option
@click.pass_context
def info(ctx, models, as_json):
    """List the installed versions and describe the packaged models and model files.

    A file that is not a model does not stop the others: it is named on standard error, and the
    exit code is 1.
    """
    from sksvs.model_files.packaged import pretrained_names, pretrained_path

    packaged = [_describe(pretrained_path(name)) for name in pretrained_names()]
    others = [_describe(path) for path in models]
    found = {
        "versions": _versions(),
        "packaged_models": [model for model in packaged if model],
        "models": [model for model in others if model],
    }
    click.echo(to_json(found) if as_json else _as_text(found))
    if None in packaged + others:
        ctx.exit(1)


def _versions():
    """Return versions by name, without importing large packages; None: not installed."""
    from sksvs.audio import libsndfile_version

    versions = {"sksvs": sksvs.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions | {"libsndfile": libsndfile_version()}


def _describe(path):
    """Describe a model file; if it cannot be loaded, print the error and return None."""
    from sksvs.model_files.model_file import load
    from sksvs.model_files.steps import describe_step

    try:
        pipeline, card = load(path, return_card=True)
    except Exception as error:  # of any kind: the other models are described
        click.echo(f"Error: {one_line(error)}", err=True)
        return None
    separator = pipeline[-1]
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "sample_rate": separator.stft_params_.sample_rate,
        "n_sources": separator.n_sources_,
        "source_names": separator.source_names_,
        "n_params": separator.count_params() if hasattr(separator, "count_params") else 0,
        "steps": [_parameters_of(describe_step(name, step)) for name, step in pipeline.steps],
        "card": card,
    }


def _parameters_of(step):
    """Return the description of a step and of its members, without their fitted scalars."""
    del step["learnt"]
    for member in step["parameters"].get("estimators", []):
        _parameters_of(member)
    return step


def _as_text(found):
    width = max(map(len, found["versions"]))
    lines = [f"{name:<{width}}  {v or 'none'}" for name, v in found["versions"].items()]
    if not found["packaged_models"]:
        lines += ["", "No model is packaged."]
    for model in found["packaged_models"] + found["models"]:
        lines += ["", f"{in_a_line(model['path'])}: {model['bytes']} bytes"]
        lines += [f"  {name}: {model[name]}" for name in ("sample_rate", "n_sources", "n_params")]
        lines.append(f"  source_names: {', '.join(model['source_names'])}")
        for step in model["steps"]:
            lines += _step_as_lines(step, "  ")
        lines.append("  card: " + to_json(model["card"]).replace("\n", "\n  "))
    return "\n".join(lines)


def _step_as_lines(step, indent):
    lines = [f"{indent}{in_a_line(step['name'])}: {step['class']}"]
    for key, value in step["parameters"].items():
        if key == "estimators":
            for member in value:
                lines += _step_as_lines(member, indent + "  ")
            continue
        if isinstance(value, dict):  # as json_values.encode writes tuples and objects
            ((tag, content),) = value.items()
            value = tuple(content) if tag == "tuple" else f"{tag} {content}"
        lines.append(f"{indent}  {key}: {in_a_line(value)}")
    return lines
