"""The command that lists installed versions and describes model files."""

import platform
from importlib.metadata import PackageNotFoundError, version

import click

import sksvs
from sksvs.cli.options import ModelFile, json_option
from sksvs.cli.output import in_a_line, one_line, to_json

PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "tensorflow", "onnxruntime", "soundfile", "av", "soxr"),
    "safetensors",
)
SOURCE = {"name", "terms", "hours"}  # in a card, see sksvs.pretrained


@click.command()
@click.argument("models", metavar="[MODEL...]", nargs=-1, type=ModelFile())
@json_option
@click.pass_context
def info(ctx, models, as_json):
    """List the installed versions and describe models, by default all packaged ones.

    MODEL is a model file, or the name of a packaged model. A file that is not a model
    does not stop the others: it is named on standard error, and the exit code is 1.
    """
    from sksvs.model_files.packaged import pretrained_names, pretrained_path

    described = [_describe(path) for path in models or map(pretrained_path, pretrained_names())]
    found = {"versions": _versions(), "models": [model for model in described if model]}
    click.echo(to_json(found) if as_json else _as_text(found))
    if None in described:
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
    for model in found["models"]:
        lines += ["", f"{in_a_line(model['path'])}: {model['bytes']} bytes"]
        lines += [f"  {name}: {model[name]}" for name in ("sample_rate", "n_sources", "n_params")]
        lines.append(f"  source_names: {', '.join(model['source_names'])}")
        for step in model["steps"]:
            lines += _step_as_lines(step, "  ")
        lines += _card_as_lines(model["card"])
    return "\n".join(lines)


def _card_as_lines(card):
    """Return the licence and the sources as text, and the rest of a card as JSON."""
    lines, rest = [], card and dict(card)
    if card and isinstance(card.get("licence"), str):
        lines.append(f"  licence: {in_a_line(rest.pop('licence'))}")
    if card and _are_sources(card.get("sources")):
        lines.append("  sources:")
        for source in rest.pop("sources"):
            lines.append("    " + in_a_line("{name}: {hours} hours, {terms}".format(**source)))
    return [*lines, "  card: " + to_json(rest).replace("\n", "\n  ")]


def _are_sources(value):
    return isinstance(value, list) and all(
        isinstance(source, dict) and source.keys() == SOURCE for source in value
    )


def _step_as_lines(step, indent):
    lines = [f"{indent}{in_a_line(step['name'])}: {step['class']}"]
    for key, value in step["parameters"].items():
        if key == "estimators":
            for member in value:
                lines += _step_as_lines(member, indent + "  ")
            continue
        lines.append(f"{indent}  {key}: {in_a_line(_as_value(value))}")
    return lines


def _as_value(encoded):
    """Return what json_values.encode made of a value as it is written in Python."""
    if isinstance(encoded, list):
        return list(map(_as_value, encoded))
    if not isinstance(encoded, dict) or len(encoded) != 1:
        return encoded
    ((tag, content),) = encoded.items()
    if tag == "tuple":
        return tuple(map(_as_value, content))
    if not isinstance(content, dict):
        return f"{tag} {content}"
    return f"{tag}({', '.join(f'{name}={_as_value(value)!r}' for name, value in content.items())})"
