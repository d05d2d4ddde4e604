"""Arguments that several commands have, and the model that they name."""

from pathlib import Path

import click

import sksvs
from sksvs.parameters import PARAMETERS

CORPORA = ("mir1k", "dsd100", "musdb18hq")

model_option = click.option(
    "--model",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Model file, as sksvs.save writes it.  [default: the packaged model 'voice']",
)
data_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a corpus.",
)
corpus_option = click.option(
    "--corpus",
    type=click.Choice(CORPORA),
    help="Which corpus it is.  [default: what the folder looks like]",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Refuse files that lack samples; otherwise what is there is read, with a warning.",
)


class ParameterType(click.ParamType):
    """The value of an option that is a parameter of a step, checked before anything is loaded.

    Parameters
    ----------
    parameter : str
    read : callable
        Takes the text that is given, returns the value; a ValueError counts as an unusable value.
    """

    def __init__(self, parameter, read):
        self.parameter, self.read = PARAMETERS[parameter], read
        self.name = {int: "integer", float: "float"}.get(read, "N,N,...")

    def convert(self, value, param, ctx):
        """Return the value; fail where it cannot be used."""
        try:
            converted = self.read(value) if isinstance(value, str) else value
        except ValueError:
            converted = None
        if converted is None or not self.parameter.is_valid(converted):
            self.fail(f"it must be {self.parameter.words}; got {value}.", param, ctx)
        return converted


def sizes(text):
    """Return numbers with commas between them as a tuple."""
    return tuple(map(int, text.split(",")))


def load_model(path):
    """Return the pipeline in a file, or without a path the packaged one."""
    return sksvs.pretrained("voice") if path is None else sksvs.load(path)
