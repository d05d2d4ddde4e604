"""The command that learns from a corpus and saves the model."""

import json
from pathlib import Path

import click

import sksvs
from sksvs.cli.options import (
    ParameterType,
    corpus_option,
    data_option,
    sizes,
    strict_option,
)
from sksvs.cli.output import in_a_line, one_line


@click.command()
@data_option
@corpus_option
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="MODEL",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the model, such as voice.safetensors.",
)
@click.option(
    "--network",
    type=click.Choice(["gru", "crn"]),
    default="gru",
    show_default=True,
    help="GRU layers alone, or between convolutions, which know more of voices that have not been "
    "learnt from and take longer.",
)
@click.option(
    "--hidden-sizes",
    type=ParameterType("hidden_layer_sizes", sizes),
    help="Units of the GRU layers.  [128,128; crn: 128]",
)
@click.option("--forwards-only", is_flag=True, help="Learn a network that can be run live.")
@click.option("--epochs", type=ParameterType("max_iter", int), help="[60]")
@click.option("--batch-size", type=ParameterType("batch_size", int), help="Segments.  [16; crn: 8]")
@click.option("--dropout", type=ParameterType("dropout", float), help="[0.3]")
@click.option(
    "--learning-rate",
    type=ParameterType("learning_rate_init", float),
    help="[0.001; crn: 0.002]",
)
@click.option(
    "--mixed-precision",
    is_flag=True,
    help="Large products in bfloat16: faster on processors that have it, slower on others.",
)
@click.option(
    "--early-stopping",
    is_flag=True,
    help="Hold out a tenth of the singers or artists, at least one, and stop when they are "
    "separated no better.",
)
@click.option(
    "--n-fft",
    type=ParameterType("n_fft", int),
    default=1024,
    show_default=True,
    help="Samples of a window at the sample rate of the corpus.",
)
@click.option("--hop-length", type=ParameterType("hop_length", int), default=512, show_default=True)
@click.option("--seed", type=ParameterType("random_state", int), default=0, show_default=True)
@click.option(
    "--songs", type=click.IntRange(1), help="Learn from so many songs, the first ones.  [all]"
)
@click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which to save the fit after epochs, for at most 5 % of the time; the same "
    "command goes on from the last one that was saved.",
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True
)
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file whose object is put into the model file.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@strict_option
def fit(
    data,
    corpus,
    out,
    network,
    hidden_sizes,
    forwards_only,
    epochs,
    batch_size,
    dropout,
    learning_rate,
    mixed_precision,
    early_stopping,
    n_fft,
    hop_length,
    seed,
    songs,
    checkpoints,
    dtype,
    card,
    quiet,
    strict,
):
    """Learn from the training songs of a corpus (MIR-1K, DSD100, MUSDB18-HQ) and save the model."""
    card = {} if card is None else _read_card(card)
    if network == "crn" and forwards_only:
        raise click.UsageError("--forwards-only is for --network gru: convolutions see ahead.")

    from sklearn.pipeline import Pipeline

    from sksvs.datasets import detect_corpus, load_corpus
    from sksvs.estimators import CRNSeparator, GRUMaskSeparator
    from sksvs.model_files.model_file import check_card, check_savable
    from sksvs.transforms import MonoDownmix, STFTTransformer

    given = {
        "hidden_layer_sizes": hidden_sizes,
        "max_iter": epochs,
        "batch_size": batch_size,
        "dropout": dropout,
        "learning_rate_init": learning_rate,
        "bidirectional": False if forwards_only else None,
    }
    kind = {"gru": GRUMaskSeparator, "crn": CRNSeparator}[network]
    separator = kind(
        **{name: value for name, value in given.items() if value is not None},
        mixed_precision=mixed_precision,
        early_stopping=early_stopping,
        random_state=seed,
        checkpoint_dir=checkpoints,
        verbose=not quiet,
    )
    pipeline = Pipeline(
        [
            ("mono", MonoDownmix()),
            ("stft", STFTTransformer(n_fft=n_fft, hop_length=hop_length)),
            (network, separator),
        ]
    )
    try:
        check_savable(pipeline, out, dtype=dtype)
    except (OSError, TypeError, ValueError) as error:
        raise click.UsageError(one_line(error)) from error

    corpus = corpus or detect_corpus(data)
    learnt = load_corpus(data, "train", corpus, strict=strict)
    X, y, groups = (values[:songs] for values in (learnt.X, learnt.y, learnt.groups))
    card = {"corpus": corpus, "subset": "train", "n_tracks": len(X), **card}
    check_card(card)
    # So that the model takes songs of any rate.
    pipeline.set_params(stft__sample_rate=min(x.sample_rate for x in X))
    pipeline.fit(X, y, **{f"{network}__groups": groups})
    separator.set_params(verbose=False)
    sksvs.save(pipeline, out, dtype=dtype, card=card)
    click.echo(in_a_line(out))


def _read_card(path):
    from sksvs.model_files.model_file import check_card

    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{path} is no JSON file ({error}).") from error
    if not isinstance(card, dict):
        raise click.UsageError(f"{path} must hold a JSON object, such as {{}}.")
    try:
        check_card(card)
    except ValueError as error:
        raise click.UsageError(f"{path}: {one_line(error)}") from error
    return card
