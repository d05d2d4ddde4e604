"""Options that several commands have, and the model that they name."""

from math import inf
from pathlib import Path
from textwrap import shorten

import click

from sksvs.cli.output import in_a_line
from sksvs.parameters import PARAMETERS

CORPORA = ("mir1k", "dsd100", "musdb18hq", "ikala", "stems")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class ModelFile(click.Path):
    """A model that is given by the name of a packaged one, or as a file; the value is its path."""

    def __init__(self):
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value, param, ctx):
        """Return the path of the model; exit with an error if there is none."""
        from sksvs.model_files.packaged import pretrained_names, pretrained_path

        names = pretrained_names()
        if str(value) in names:
            value = pretrained_path(value)
        elif not Path(value).exists():
            packaged = ", ".join(names)
            self.fail(f"{value} is neither a file nor a packaged model ({packaged}).", param, ctx)
        return super().convert(value, param, ctx)


class ParameterType(click.ParamType):
    """An option whose value is a parameter of an estimator, checked before anything is loaded.

    Parameters
    ----------
    parameter : str
        Its name in the table of parameters.
    read : callable
        Takes the text of the option and returns the value; raises a ValueError for other text.
    """

    def __init__(self, parameter, read):
        self.parameter, self.read = PARAMETERS[parameter], read
        self.name = {int: "integer", float: "float", str: "name"}.get(read, "N,N,...")

    def convert(self, value, param, ctx):
        """Return the value of the option; exit with an error if it cannot be used."""
        try:
            converted = self.read(value) if isinstance(value, str) else value
        except ValueError:
            converted = None
        if converted is None or not self.parameter.is_valid(converted):
            words = self.parameter.words.removesuffix(", or None")
            self.fail(f"it must be {words}; got {value}.", param, ctx)
        return converted


model_option = click.option(
    "--model",
    metavar="MODEL",
    type=ModelFile(),
    default="voice-free",
    show_default=True,
    help="Model file, as sksvs.save writes it, or the name of a packaged model (see sksvs info).",
)
data_option = click.option(
    "--data",
    required=True,
    type=FOLDER,
    help="Folder of a corpus, or of songs, each a folder of stems.",
)
corpus_option = click.option(
    "--corpus",
    type=click.Choice(CORPORA),
    help="Which corpus it is.  [default: recognised by its folders]",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Refuse files with missing samples. By default the rest is read, with a warning.",
)
jobs_option = click.option(
    "--jobs",
    type=ParameterType("n_jobs", int),
    default=1,
    show_default=True,
    help="Songs at a time; -1: one for each core.",
)
sources_option = click.option(
    "--sources",
    metavar="NAME,NAME,...",
    callback=lambda context, option, text: None if text is None else tuple(text.split(",")),
    help="What to separate, the target first: vocals,bass,drums,other.  [vocals,accompaniment]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def sizes(text):
    """Return numbers separated by commas as a tuple."""
    return tuple(map(int, text.split(",")))


def read_weights(context, option, text):
    """Return positive numbers separated by commas as a tuple; exit with an error for others."""
    if text is None:
        return None
    try:
        numbers = tuple(map(float, text.split(",")))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number < inf for number in numbers):
        raise click.BadParameter(
            f"it must be positive numbers separated by commas, such as 3,1; got {text}.",
            context,
            option,
        )
    return numbers


def sources_to_load(pipeline):
    """Return the sources of songs that a model separates, as the loaders of songs name them."""
    from sksvs.datasets.bundle import VOICE_AND_REST

    names = pipeline[-1].source_names_
    return VOICE_AND_REST if len(names) == 2 else names


def terms_of_use(path, card):
    """Return the terms of a model's weights in a line, None if its card has no licence.

    Parameters
    ----------
    path : Path
    card : dict or None
    """
    from sksvs.model_files.packaged import RESEARCH_ONLY, pretrained_path

    licence = (card or {}).get("licence")
    if not licence or not isinstance(licence, str):
        return None
    name = path.stem if path == pretrained_path(path.stem) else in_a_line(path)
    terms = "for research only" if licence == RESEARCH_ONLY else f"under {shorten(licence, 200)}"
    sources = f"; `sksvs info {name}` names its sources" if card.get("sources") else ""
    return f"The network {name} is {in_a_line(terms)}{sources}."
