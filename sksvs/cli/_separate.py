"""The command that separates songs into stems."""

import warnings
from pathlib import Path

import click

from sksvs.cli._options import load_model, model_option
from sksvs.cli._output import in_a_line, one_line


@click.command()
@click.argument(
    "songs",
    metavar="SONG...",
    nargs=-1,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the stems; made where it is missing.",
)
@model_option
@click.option(
    "--stems",
    type=click.Choice(["vocals", "both"]),
    default="both",
    show_default=True,
    help="Whether to write the accompaniment, too.",
)
@click.option(
    "--format",
    "audio_format",
    type=click.Choice(["wav", "flac", "ogg"]),
    help="Kind of the stems.  [default: that of the song]",
)
@click.pass_context
def separate(ctx, songs, out, model, stems, audio_format):
    """Separate songs: the stems of a/song.wav go to DIR/song/vocals.wav and accompaniment.wav.

    Songs are audio files. One that fails does not stop the others: it is named on stderr, and
    the exit code is 1. Where songs come from several folders, the stems keep the parts of the
    paths that the songs do not share.
    """
    from sksvs.separation import refuse_overwritten_inputs, stem_folders

    try:
        folders = stem_folders(songs, out)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    separator = load_model(model)
    names = ["vocals"] + [None] * (separator[-1].n_sources_ - 1) if stems == "vocals" else None
    try:
        refuse_overwritten_inputs(separator, songs, folders, names, audio_format)
    except ValueError as error:
        raise click.UsageError(one_line(error)) from error
    n_failed = 0
    for song, folder in zip(songs, folders):
        try:
            written = _separate_song(separator, song, folder, names, audio_format)
        except Exception as error:  # whatever it is, it is said, and the other songs go on
            click.echo(f"Error: {one_line(song)}: {one_line(error)}", err=True)
            n_failed += 1
        else:
            for path in written:
                click.echo(in_a_line(path))
    if n_failed:
        ctx.exit(1)


def _separate_song(separator, song, folder, names, audio_format):
    """Separate one song under a progress bar; return the paths of its stems."""
    from tqdm import tqdm

    from sksvs.audio import AudioFile
    from sksvs.separation import separate_file

    bar = tqdm(
        total=len(AudioFile(song)),
        desc=in_a_line(song.name),
        unit=" samples",
        unit_scale=True,
        leave=False,
        disable=None,  # where stderr is no terminal
    )
    with bar, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        written = separate_file(
            separator,
            song,
            folder,
            source_names=names,
            audio_format=audio_format,
            progress=bar.update,
        )
    for warning in caught:
        click.echo(f"Warning: {one_line(warning.message)}", err=True)
    return written
