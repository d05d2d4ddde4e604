"""The command that scores a model on a corpus."""

from pathlib import Path

import click

import sksvs
from sksvs.cli.options import (
    corpus_option,
    data_option,
    jobs_option,
    json_option,
    model_option,
    sources_to_load,
    strict_option,
)
from sksvs.cli.output import printable, to_json

PROTOCOLS = (  # those of sksvs.metrics, which commands import only when they run
    "whole_tracks",
    "huang2014",
    "park2018",
    "sisec2016",
    "musdb18",
    "csdr",
    "mdx",
    "log_wmse",
)


@click.command()
@data_option
@corpus_option
@model_option
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="whole_tracks",
    show_default=True,
    help="How scores are computed and averaged. park2018 takes MIR-1K at its natural levels.",
)
@click.option(
    "--subset",
    default="test",
    show_default=True,
    help="train, dev or test, if the corpus has it; iKala and stems have one set.",
)
@click.option("--songs", type=click.IntRange(1), help="Score only the first N songs.  [all]")
@click.option("--mixture", is_flag=True, help="Also score the mixture: the lower bound.")
@click.option("--oracle", is_flag=True, help="Also score the ideal ratio mask: the upper bound.")
@click.option(
    "--report",
    metavar="FILE.html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write a page with the table, the distribution over the songs, and players of the "
    "worst three.",
)
@jobs_option
@json_option
@click.option("--quiet", is_flag=True, help="Show no progress bar.")
@strict_option
def score(
    data,
    corpus,
    model,
    protocol,
    subset,
    songs,
    mixture,
    oracle,
    report,
    jobs,
    as_json,
    quiet,
    strict,
):
    """Score a model on songs, in dB: a corpus (MIR-1K, iKala, DSD100, MUSDB18-HQ) or stems."""
    from sksvs.datasets import detect_corpus, load_corpus, load_mir1k
    from sksvs.datasets.corpus import CORPORA
    from sksvs.estimators import IdealMaskOracle
    from sksvs.metrics import evaluate

    if report is not None:
        _check_report(report)
    corpus = corpus or detect_corpus(data)
    subsets = CORPORA[corpus][1]
    if subsets and subset not in subsets:
        one_of = f"{subset!r} is not one of {', '.join(map(repr, subsets))}, which {corpus} has."
        raise click.BadParameter(one_of, param_hint="'--subset'")
    separator = sksvs.load(model)
    if corpus == "mir1k" and protocol == "park2018":
        tracks = load_mir1k(data, subset, mix="natural", strict=strict)
    else:
        tracks = load_corpus(data, subset, corpus, sources_to_load(separator), strict)
    X, y = tracks.X[:songs], tracks.y[:songs]
    found = evaluate(
        separator,
        X,
        y,
        protocol=protocol,
        mixture=mixture,
        oracle=IdealMaskOracle() if oracle else None,
        names=tracks.names[:songs],
        n_jobs=jobs,
        verbose=not quiet,
    )
    if as_json:
        click.echo(to_json({"protocol": protocol, "tracks": found.rows, "summary": found.summary}))
    else:
        click.echo(printable(str(found)))
    if report is not None:
        from sksvs.display import write_evaluation_report

        title = f"{model.stem} on {corpus}" + (f", {subset}" if subsets else "")
        write_evaluation_report(report, title, found, separator, X, y)


def _check_report(path):
    """Raise, before anything is scored, if a report cannot be written."""
    from importlib.util import find_spec

    if not find_spec("matplotlib"):
        raise click.UsageError("--report needs matplotlib: pip install 'sksvs[plot]'.")
    if not path.absolute().parent.is_dir():
        raise click.BadParameter(f"{path.parent} does not exist.", param_hint="'--report'")
