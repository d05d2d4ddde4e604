"""The command that trains a separator on corpora or recordings and saves the model."""

import json
from pathlib import Path

import click

import sksvs
from sksvs.cli.options import (
    FOLDER,
    ParameterType,
    corpus_option,
    read_weights,
    sizes,
    strict_option,
)
from sksvs.cli.output import in_a_line, one_line


@click.command()
@click.option(
    "--data",
    multiple=True,
    type=FOLDER,
    help="Folder of a corpus. May be given several times.",
)
@corpus_option
@click.option(
    "--voices",
    multiple=True,
    type=FOLDER,
    help="Folder with recordings of voices alone, a folder below it for each singer. May be given "
    "several times.",
)
@click.option(
    "--accompaniments",
    multiple=True,
    type=FOLDER,
    help="Folder with music without a voice, to mix with --voices. May be given several times.",
)
@click.option(
    "--weights",
    metavar="N,N,...",
    callback=read_weights,
    help="Shares of the training audio: that of voices and accompaniments first, then one for each "
    "--data.  [their lengths]",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for copies of the voices and accompaniments, which are read faster: 320 MB an "
    "hour.",
)
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
    help="crn: convolutional-recurrent network with dual-path blocks (generalises better to unseen "
    "singers). gru: recurrent network (faster).  [crn; with --forwards-only: gru]",
)
@click.option(
    "--hidden-sizes",
    type=ParameterType("hidden_layer_sizes", sizes),
    help="Units of the GRU layers; of a crn, in place of its dual-path blocks.  [192,192,192; crn: "
    "none]",
)
@click.option("--forwards-only", is_flag=True, help="Train a causal network, for live streams.")
@click.option(
    "--hours",
    type=click.FloatRange(0, min_open=True),
    help="Hours of audio to train on; songs are repeated as often as needed, or drawn at random "
    "where there are more hours of them.  [what two cores process within an hour: 20 at 16 kHz, 7 "
    "at 44.1 kHz; gru: 60 and 22]",
)
@click.option(
    "--epochs",
    type=ParameterType("max_iter", int),
    help="Passes over all songs, in place of --hours.",
)
@click.option(
    "--no-augmentation",
    is_flag=True,
    help="Train on the songs as they are: no changes of gain and speed, no voices over the "
    "accompaniments of other songs.",
)
@click.option("--batch-size", type=ParameterType("batch_size", int), help="Segments.  [8]")
@click.option("--dropout", type=ParameterType("dropout", float), help="[0.4; crn: 0.3]")
@click.option("--learning-rate", type=ParameterType("learning_rate_init", float), help="[0.002]")
@click.option(
    "--mixed-precision",
    is_flag=True,
    help="Large products in bfloat16: faster on processors that have it, slower on others.",
)
@click.option(
    "--early-stopping",
    is_flag=True,
    help="Hold out a tenth of the singers or artists, at least one, and stop when their loss no "
    "longer improves.",
)
@click.option(
    "--n-fft",
    type=ParameterType("n_fft", int),
    help="Samples of a window at the sample rate of the corpus.  [64 ms: 1024 at 16 kHz, 2880 at "
    "44.1 kHz]",
)
@click.option(
    "--hop-length",
    type=ParameterType("hop_length", int),
    help="Samples from one window to the next.  [half a window]",
)
@click.option("--seed", type=ParameterType("random_state", int), default=0, show_default=True)
@click.option(
    "--songs", type=click.IntRange(1), help="Use only the first N songs of each corpus.  [all]"
)
@click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the state is saved after epochs, for at most 5 % of the time; the same "
    "command continues from there.",
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True
)
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with an object to store in the model file.",
)
@click.option("--quiet", is_flag=True, help="Print neither the plan nor the progress.")
@strict_option
def fit(
    data,
    corpus,
    voices,
    accompaniments,
    weights,
    cache,
    out,
    network,
    hidden_sizes,
    forwards_only,
    hours,
    epochs,
    no_augmentation,
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
    """Train on the training songs of corpora (MIR-1K, DSD100, MUSDB18-HQ) and save the model.

    With --voices and --accompaniments, train on recordings that do not belong together. The default
    network and amount of audio take two cores at most an hour.
    """
    from sksvs.cli.training_data import check_data_options, draw_epoch, load_corpora

    check_data_options(data, corpus, voices, accompaniments, weights, cache)
    card = {} if card is None else _read_card(card)
    network = network or ("gru" if forwards_only else "crn")

    from sklearn.pipeline import Pipeline

    from sksvs.cli.training_plan import (
        choose_epochs,
        choose_hours,
        choose_window,
        make_separator,
        plan_in_words,
    )
    from sksvs.model_files.model_file import check_card
    from sksvs.transforms import MonoDownmix, STFTTransformer

    separator = make_separator(
        network,
        augmented=not no_augmentation,
        dry_voices=bool(voices),
        pairs=bool(data),
        hidden_layer_sizes=hidden_sizes,
        max_iter=epochs,
        batch_size=batch_size,
        dropout=dropout,
        learning_rate_init=learning_rate,
        bidirectional=False if forwards_only else None,
        mixed_precision=mixed_precision,
        early_stopping=early_stopping,
        random_state=seed,
        checkpoint_dir=checkpoints,
        verbose=not quiet,
    )
    window = choose_window(16000, n_fft, hop_length)  # until the rate of the corpus is known
    stft = STFTTransformer(*window, window="cosine")
    pipeline = Pipeline([("mono", MonoDownmix()), ("stft", stft), (network, separator)])
    _check(pipeline, out, dtype)

    corpora = load_corpora(
        *(data, corpus, voices, accompaniments),
        cache=cache,
        songs=songs,
        strict=strict,
        random_state=seed,
        verbose=not quiet,
    )
    rates = sorted({x.sample_rate for one in corpora for x in one.X})
    if len(rates) > 1 and not no_augmentation:
        raise click.UsageError(
            f"The songs have sample rates from {rates[0]} to {rates[-1]} Hz, and songs that are "
            "mixed anew must share one. Resample them, or use --no-augmentation."
        )
    window = choose_window(rates[0], n_fft, hop_length)
    # With a sample rate, the model takes songs of any rate.
    stft.set_params(n_fft=window[0], hop_length=window[1], sample_rate=rates[0])
    if epochs is None:
        hours = hours or choose_hours(network, *window, rates[0])
        epoch = draw_epoch(corpora, weights, hours, seed)
        epochs = choose_epochs(network, epoch.hours, *window, rates[0], hours)
        separator.set_params(max_iter=epochs)
    else:
        epoch = draw_epoch(corpora, weights, random_state=seed)
    card = {**epoch.facts, **card}
    check_card(card)
    _check(pipeline, out, dtype)
    if not quiet:
        given = sum(len(one.X) for one in corpora), sum(sum(one.hours) for one in corpora)
        words = plan_in_words(
            *(separator, stft.n_fft // 2 + 1, epoch.n_tracks, epoch.hours),
            n_times=len(epoch.X),
            given=given,
        )
        click.echo(words, err=True)
    pipeline.fit(epoch.X, epoch.y, **{f"{network}__groups": epoch.groups})
    separator.set_params(verbose=False)
    sksvs.save(pipeline, out, dtype=dtype, card=card)
    click.echo(in_a_line(out))


def _check(pipeline, out, dtype):
    """Raise a usage error for a pipeline that could not be saved after training."""
    from sksvs.model_files.model_file import check_savable

    try:
        check_savable(pipeline, out, dtype=dtype)
    except (OSError, TypeError, ValueError) as error:
        raise click.UsageError(one_line(error)) from error


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
