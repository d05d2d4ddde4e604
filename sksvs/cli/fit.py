"""The command that trains a separator on corpora or recordings and saves the model."""

from pathlib import Path

import click

import sksvs
from sksvs.cli.options import (
    FILE,
    FOLDER,
    ModelFile,
    ParameterType,
    corpus_option,
    read_weights,
    sizes,
    sources_option,
    strict_option,
)
from sksvs.cli.output import in_a_line, note, one_line
from sksvs.cli.pipeline_to_fit import (
    new_pipeline,
    pipeline_to_continue,
    read_augmentation,
    read_card,
    read_params,
    set_params,
    sources_of_model,
)
from sksvs.parameters import LOSSES


@click.command()
@click.option(
    "--data",
    multiple=True,
    type=FOLDER,
    help="Folder of a corpus, or of songs, each a folder of stems (vocals.wav, bass.wav, ...). May "
    "be given several times.",
)
@corpus_option
@sources_option
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
    "--start",
    metavar="MODEL",
    type=ModelFile(),
    help="Go on from this model, a file or the name of a packaged one, instead of a new network.",
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
    "--augment",
    metavar="NAME=X,...",
    callback=read_augmentation,
    help="Parameters of sksvs.augmentation.Augmentation in place of the default ones: "
    "gain_db=6,speed=0.3/0. none: train on the songs as they are.",
)
@click.option(
    "--loss",
    type=ParameterType("loss", str),
    help=f"{', '.join(LOSSES)}.  [segment_error_ratio]",
)
@click.option("--batch-size", type=ParameterType("batch_size", int), help="Segments.  [8]")
@click.option("--dropout", type=ParameterType("dropout", float), help="[0.4; crn: 0.3]")
@click.option(
    "--learning-rate",
    type=ParameterType("learning_rate_init", float),
    help="[0.002; with --start: 0.0003]",
)
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
@click.option(
    "--params",
    type=FILE,
    callback=read_params,
    help="JSON file with parameters as Pipeline.set_params takes them, before all options: "
    '{"crn__conv_channels": [16, 32], "stft__n_fft": 2048}.',
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
    type=FILE,
    help="JSON file with an object to store in the model file.",
)
@click.option("--quiet", is_flag=True, help="Print neither the plan nor the progress.")
@strict_option
def fit(
    data,
    corpus,
    sources,
    voices,
    accompaniments,
    weights,
    cache,
    out,
    start,
    network,
    hidden_sizes,
    forwards_only,
    hours,
    epochs,
    augment,
    loss,
    batch_size,
    dropout,
    learning_rate,
    mixed_precision,
    early_stopping,
    n_fft,
    hop_length,
    params,
    seed,
    songs,
    checkpoints,
    dtype,
    card,
    quiet,
    strict,
):
    """Train on songs and save the model: on corpora (MIR-1K, iKala, DSD100, MUSDB18-HQ) or stems.

    With --voices and --accompaniments, train on recordings that do not belong together. The default
    network and amount of audio take two cores at most an hour. --start goes on from a model.
    """
    from sksvs.cli.training_data import check_data_options, draw_epoch, load_corpora

    check_data_options(data, corpus, sources, voices, accompaniments, weights, cache)
    of_network = {
        "--network": network,
        "--hidden-sizes": hidden_sizes,
        "--forwards-only": forwards_only,
        "--n-fft": n_fft,
        "--hop-length": hop_length,
    }
    given = [name for name, value in of_network.items() if value]
    if start is not None and given:
        raise click.UsageError(f"{given[0]} is fixed by the model of --start. Leave it out.")
    card = {} if card is None else read_card(card)

    from sksvs.cli.training_plan import choose_epochs, choose_hours, choose_window, plan_in_words
    from sksvs.datasets.bundle import VOICE_AND_REST
    from sksvs.model_files.model_file import check_card

    of_data = {"dry_voices": bool(voices), "pairs": bool(data)}
    settings = {
        "loss": loss,
        "max_iter": epochs,
        "batch_size": batch_size,
        "dropout": dropout,
        "learning_rate_init": learning_rate,
        "mixed_precision": mixed_precision,
        "early_stopping": early_stopping,
        "random_state": seed,
        "checkpoint_dir": checkpoints,
        "verbose": not quiet,
    }
    if start is None:
        pipeline = new_pipeline(
            network or ("gru" if forwards_only else "crn"),
            choose_window(16000, n_fft, hop_length),  # until the rate of the corpus is known
            augment,
            n_sources=len(sources or VOICE_AND_REST),
            **of_data,
            hidden_layer_sizes=hidden_sizes,
            bidirectional=False if forwards_only else None,
            **settings,
        )
        sources, sample_rate = sources or VOICE_AND_REST, None
    else:
        pipeline, of_start = pipeline_to_continue(start, augment, **of_data, **settings)
        sources = sources_of_model(pipeline, sources)
        sample_rate = pipeline[-1].stft_params_.sample_rate
        card = {**of_start, **card}
    set_params(pipeline, params)
    _check(pipeline, out, dtype)
    name, separator = pipeline.steps[-1]
    epochs = epochs or (separator.max_iter if f"{name}__max_iter" in params else None)

    corpora = load_corpora(
        *(data, corpus, voices, accompaniments),
        sources=sources,
        sample_rate=sample_rate,
        cache=cache,
        songs=songs,
        strict=strict,
        random_state=seed,
        verbose=not quiet,
    )
    rates = sorted({x.sample_rate for one in corpora for x in one.X})
    if len(rates) > 1 and separator.augmentation is not None:
        raise click.UsageError(
            f"The songs have sample rates from {rates[0]} to {rates[-1]} Hz, and songs that are "
            "mixed anew must share one. Resample them, or use --augment none."
        )
    if start is None:
        window = choose_window(rates[0], n_fft, hop_length)
        # With a sample rate, the model takes songs of any rate.
        pipeline["stft"].set_params(n_fft=window[0], hop_length=window[1], sample_rate=rates[0])
        set_params(pipeline, params, only="stft__")
    stft = pipeline[:-1].fit_transform(corpora[0].X[:1])[0].params
    grid = stft.n_fft, stft.hop_length, rates[0]
    kind = "crn" if hasattr(separator, "conv_channels") else "gru"
    if epochs is None:
        hours = hours or choose_hours(kind, *grid)
        epoch = draw_epoch(corpora, weights, hours, seed)
        separator.set_params(max_iter=choose_epochs(kind, epoch.hours, *grid, hours))
    else:
        epoch = draw_epoch(corpora, weights, random_state=seed)
    card = {**epoch.facts, **card}
    check_card(card)
    _check(pipeline, out, dtype)
    if not quiet:
        given = sum(len(one.X) for one in corpora), sum(sum(one.hours) for one in corpora)
        words = plan_in_words(
            *(separator, stft.n_freqs, epoch.n_tracks, epoch.hours),
            n_times=len(epoch.X),
            given=given,
        )
        note(words)
    pipeline.fit(epoch.X, epoch.y, **{f"{name}__groups": epoch.groups})
    separator.set_params(verbose=False, warm_start=False)
    sksvs.save(pipeline, out, dtype=dtype, card=card)
    click.echo(in_a_line(out))


def _check(pipeline, out, dtype):
    """Raise a usage error for a pipeline that could not be saved after training."""
    from sksvs.model_files.model_file import check_savable

    try:
        check_savable(pipeline, out, dtype=dtype)
    except (OSError, TypeError, ValueError) as error:
        raise click.UsageError(one_line(error)) from error
