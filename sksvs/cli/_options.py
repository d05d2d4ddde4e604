"""Arguments that several commands have, and the model that they name."""

from pathlib import Path

import click

import sksvs

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


def load_model(path):
    """Return the pipeline in a file, or without a path the packaged one."""
    return sksvs.pretrained("voice") if path is None else sksvs.load(path)
