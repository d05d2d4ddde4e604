"""Draw the distribution of scores over the tracks of an evaluation, between its bounds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from sksvs.display.figures import make_axes
from sksvs.metrics.scores import SeparationScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_LOWER_BOUND = "sar", "isr"  # an unprocessed mixture has no artifacts
LOOKS = {"mixture": ("C3", "--"), "oracle": ("C2", ":")}


class EvaluationDisplay:
    """Scores over the tracks of an evaluation, a box and a point a track for each metric.

    Made by :meth:`sksvs.metrics.Evaluation.plot`.

    Parameters
    ----------
    scores : dict of str to SeparationScore
        Of "estimate", and of "mixture" and "oracle" if they were scored: their reduced scores are
        lines, the bounds. The mixture has none for SAR and ISR, where it is no lower bound.
    source_names : sequence of str
        The names of the sources.
    source : int, default=0
        Which source: 0 is the voice.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        After :meth:`plot`.
    figure_ : matplotlib.figure.Figure
    """

    def __init__(
        self, scores: Mapping[str, SeparationScore], source_names: Sequence[str], source: int = 0
    ):
        self.scores = scores
        self.source_names = source_names
        self.source = source

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw the distribution.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of a new figure.

        Returns
        -------
        EvaluationDisplay
            This one, with `ax_` and `figure_`.
        """
        metrics = list(self.scores["estimate"].sources)
        self.ax_ = make_axes(ax, (1.2 + 1.5 * len(metrics), 4.0))
        self.figure_ = self.ax_.figure
        for place, metric in enumerate(metrics):
            self._draw_metric(place, metric)
        self.ax_.set_xticks(range(len(metrics)), [metric.upper() for metric in metrics])
        n_tracks = len(self.scores["estimate"].tracks)
        name, unit = self.source_names[self.source], "" if "log_wmse" in metrics else "dB"
        self.ax_.set(ylabel=unit, title=f"Scores of {name}, {n_tracks} tracks")
        self.ax_.grid(axis="y", alpha=0.3)
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend()
        return self

    def _draw_metric(self, place, metric):
        tracks = self.scores["estimate"].tracks
        values = np.array([track.sources[metric][self.source] for track in tracks])
        values = values[~np.isnan(values)]
        if len(values):
            self.ax_.boxplot(values, positions=[place], widths=0.6, showfliers=False)
        jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(values))
        self.ax_.plot(place + jitter, values, ".", color="C0", alpha=0.6, zorder=3)
        for who, (colour, style) in LOOKS.items():
            if who not in self.scores or (who == "mixture" and metric in NO_LOWER_BOUND):
                continue
            level = self.scores[who].sources[metric][self.source]
            label = who if place == 0 else None
            ends = place - 0.4, place + 0.4
            self.ax_.plot(ends, [level] * 2, color=colour, linestyle=style, lw=2, label=label)
