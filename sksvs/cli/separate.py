"""The command that separates songs into stems."""

from contextlib import nullcontext
from pathlib import Path

import click

import sksvs
from sksvs.cli.options import (
    ParameterType,
    jobs_option,
    model_option,
    strict_option,
    terms_of_use,
)
from sksvs.cli.output import in_a_line, note, one_line, progress_bar
from sksvs.parameters import BALANCES

REPORT = "report.html"


@click.command()
@click.argument("songs", metavar="SONG...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--out",
    default="separated",
    show_default=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the stems; made if it does not exist.",
)
@model_option
@click.option(
    "--stems",
    metavar="NAME,...",
    default="all",
    show_default=True,
    help="Which stems to write, by the names of the model's sources (see sksvs info), such as "
    "vocals. all: every one; both is the same.",
)
@click.option(
    "--format",
    "audio_format",
    type=click.Choice(["wav", "flac", "ogg", "mp3", "opus"]),
    help="Format of the stems.  [default: that of the song, or wav]",
)
@click.option(
    "--bitrate",
    type=click.FloatRange(0, min_open=True),
    metavar="KB/S",
    help="Of mp3, ogg and opus stems.  [default for stereo: 256, 192, 160]",
)
@click.option(
    "--balance",
    type=click.Choice(list(BALANCES)),
    help="cleaner: less of the accompaniment in the voice, and the voice thinner. fuller: all of "
    "the voice, and more of the accompaniment with it.  [default: balanced]",
)
@click.option(
    "--others-weight",
    type=ParameterType("others_weight", float),
    help="Weight of the accompaniment in the masks, in place of --balance: lower keeps more of the "
    "voice, higher removes more of the accompaniment.  [default: that of the model]",
)
@click.option(
    "--report",
    is_flag=True,
    help="Also write DIR/report.html, a page to look at and listen to: a player of up to 30 s, "
    "levels and warnings for each song.",
)
@click.option("--skip-existing", is_flag=True, help="Skip songs whose stems all exist.")
@jobs_option
@strict_option
@click.pass_context
def separate(ctx, songs, out, model, stems, balance, others_weight, report, jobs, **options):
    """Separate songs: the stems of song.mp3 go to DIR/song/vocals.mp3 and accompaniment.mp3.

    Stems have the names of the sources that the model was trained on. Songs are audio files or
    videos; - is standard input. A folder stands for the audio files in it, at any depth, and the
    stems keep its structure. With --report, the page holds what its players play, about 3 MB for a
    song with two stems; it appears when the last song is separated. If the card of the model has a
    licence, standard error names it. A song that fails does not stop the others: it is named on
    standard error, and the exit code is 1.
    """
    # The other options have the names of separate_song's parameters.
    if options["bitrate"] is not None and options["audio_format"] in ("wav", "flac"):
        raise click.UsageError("--bitrate is for mp3, ogg and opus.")
    if balance and others_weight:
        raise click.UsageError(
            "--balance and --others-weight exclude each other, since a balance is a multiple of "
            "the model's own weight. Give one of them."
        )

    from sksvs.separation import copy_pipe, plan_songs, separate_songs

    separator, card = sksvs.load(model, return_card=True)
    weighed_by = "--balance" if balance else "--others-weight" if others_weight else None
    if weighed_by and "others_weight" not in separator[-1].get_params(deep=False):
        kind = type(separator[-1]).__name__
        raise click.UsageError(f"{weighed_by}: a {kind} has no masks to weigh.")
    if balance:
        separator = sksvs.with_balance(separator, balance)
    elif others_weight:
        separator[-1].set_params(others_weight=others_weight)
    names = _chosen(stems, separator[-1])
    planned = plan_songs(separator, songs, out, names, options["audio_format"])
    options["source_names"] = names
    terms = terms_of_use(model, card)
    if terms:
        note(terms)
    if report:  # it reads the songs once more, which a pipe does not allow
        planned = [copy_pipe(song) for song in planned]
    if jobs == 1:
        results = (_separate_song(separator, song, options) for song in planned)
    else:
        results = _under_bar(separate_songs(separator, planned, jobs, **options), len(planned))
    failed = False
    with _report(out, model, len(planned)) if report else nullcontext() as page:
        for song, result in zip(planned, results):
            _show(result)
            failed = failed or result.error is not None
            if page is not None and not _add_to_report(page, song, result, separator):
                failed = True
    if report:
        click.echo(in_a_line(out / REPORT))
    if failed:
        ctx.exit(1)


def _show(result):
    """Print the paths of the stems of a song, and on standard error what has to be said of it."""
    for message in result.warnings:
        note(f"Warning: {one_line(message)}")
    if result.error:
        note(f"Error: {one_line(result.error)}")
    if result.skipped:
        note(f"{in_a_line(result.path)}: its stems are there already.")
    for path in result.stems:
        click.echo(in_a_line(path))


def _report(out, model, n_songs):
    """Open the report."""
    from sksvs.display import writing_report

    songs = "1 song" if n_songs == 1 else f"{n_songs} songs"
    return writing_report(out / REPORT, f"{songs} separated by {model.stem}")


def _add_to_report(page, song, result, separator):
    """Add a song to the report; return False, with an error on standard error, if that fails."""
    if result.error:
        page.add_failure(result.path, result.error)
        return True
    try:
        page.add_song(song.path, result.stems, result.warnings, separator)
    except (ValueError, OSError) as error:
        text = f"{result.path} is not in the report: {error}"
        note(f"Error: {one_line(text)}")
        page.add_failure(result.path, text)
        return False
    return True


def _chosen(stems, separator):
    """Return the names of the stems that are wanted, None for every other source."""
    from sksvs.separation.one_file import stem_names

    known = stem_names(separator)
    wanted = known if stems in ("all", "both") else [name.strip() for name in stems.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise click.UsageError(
            f"--stems: the model has {', '.join(map(in_a_line, known))}; got {unknown[0]!r}."
        )
    return [name if name in wanted else None for name in known]


def _separate_song(separator, song, options):
    """Separate one song and show its progress in samples."""
    from sksvs.separation import separate_song

    path = getattr(song.path, "path", song.path)  # of the copy of a pipe, or as it is
    name = in_a_line(Path(path).name)
    with progress_bar(desc=name, unit=" samples", unit_scale=True) as bar:
        return separate_song(separator, song, begin=bar.reset, progress=bar.update, **options)


def _under_bar(results, n_songs):
    """Yield the results and show how many there are."""
    with progress_bar(total=n_songs, unit=" songs") as bar:
        for result in results:
            bar.update()
            yield result
