"""Write a report on an evaluation: the table, the distribution, the worst tracks to listen to."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sksvs.display.evaluation_display import EvaluationDisplay
from sksvs.display.figures import figure_as_png
from sksvs.display.page import table, writing_page
from sksvs.display.player import data_url, minutes
from sksvs.display.separation_display import SeparationDisplay
from sksvs.metrics import Evaluation
from sksvs.typing import PathLike, Truth

N_WORST = 3


def write_evaluation_report(
    path: PathLike,
    title: str,
    evaluation: Evaluation,
    separator: BaseEstimator,
    X: Sequence[Any],
    y: Truth,
) -> None:
    """Write a page with the scores of the voice, their distribution and the worst tracks.

    Parameters
    ----------
    path : str or path-like
        Of the page, in a folder that exists. It is written whole or not at all.
    title : str
    evaluation : Evaluation
    separator : fitted separator, Pipeline or search
        That was evaluated; it separates the worst three tracks once more.
    X, y : lists
        The mixtures and the sources, as for :func:`~sksvs.metrics.evaluate`.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    scores, protocol = evaluation.scores, evaluation.protocol
    main = protocol.metrics[0]
    values = np.array([track.sources[main][0] for track in scores["estimate"].tracks])
    figsize = (1.5 + 1.6 * len(protocol.metrics), 4.0)
    picture = figure_as_png(EvaluationDisplay(scores, evaluation.source_names).plot, figsize)
    with writing_page(path, title) as write:
        write(f"<p>{escape(protocol.name)}: {escape(protocol.source)}. {protocol.method}.</p>\n")
        write(
            f'<h2>Distribution</h2>\n<img class="picture" width="{figsize[0] * 80:.0f}" '
            f'alt="Scores by track" src="{data_url("image/png", picture)}">\n'
        )
        worst = [i for i in np.argsort(values, kind="stable") if not np.isnan(values[i])][:N_WORST]
        write(f"<h2>The worst {len(worst)} of {len(values)} tracks</h2>\n")
        for i in worst:
            display = SeparationDisplay.from_estimator(separator, [X[i]], [y[i]])
            write(
                f"<section>\n<h3>{escape(evaluation.names[i])}: {main.upper()} {values[i]:.2f}"
                f"</h3>\n{display._repr_html_()}</section>\n"
            )
        voice, unit = evaluation.source_names[0], "" if "log_wmse" in protocol.metrics else ", dB"
        write(f"<h2>All tracks: scores of {escape(voice)}{unit}</h2>\n{_table(evaluation)}")


def _table(evaluation):
    """Return the scores of the voice as a table."""
    scores = evaluation.scores
    metrics = evaluation.protocol.metrics
    columns = [(who, metric) for who in scores for metric in metrics]
    header = [
        metric.upper() if who == "estimate" else f"{metric.upper()} ({who})"
        for who, metric in columns
    ]
    rows = []
    for i, (name, rate) in enumerate(zip(evaluation.names, evaluation.sample_rates)):
        tracks = {who: scores[who].tracks[i] for who in scores}
        length = minutes(round(tracks["estimate"].n_samples / rate)) if rate else "–"
        values = [tracks[who].sources[metric][0] for who, metric in columns]
        rows.append([escape(name), length, *values])
    reduced = [scores[who].sources[metric][0] for who, metric in columns]
    over = evaluation.protocol.over_tracks.replace("_", " ")
    return table(["track", "length", *header], rows, [f"all ({over})", "", *reduced])
