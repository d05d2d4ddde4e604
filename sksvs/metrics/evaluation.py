"""The scores of many tracks as tables: a row for each track, or for each window."""

import json
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sksvs.metrics.protocols import Protocol
from sksvs.metrics.scores import scores_by_column
from sksvs.system.atomic import replacing_all
from sksvs.typing import PathLike

if TYPE_CHECKING:
    from sksvs.display import EvaluationDisplay

MUSEVAL_METRICS = ("sdr", "sir", "isr", "sar")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The result of :func:`evaluate`: printable, and tables.

    Parameters
    ----------
    scores : dict of str to SeparationScore
        Of "estimate", and of "mixture" and "oracle" if they were asked for.
    protocol : Protocol
    names : list of str
        The names of the tracks.
    sample_rates : list of int or None
        Their sample rates, in Hz.
    source_names : tuple of str
        The names of the sources.

    Attributes
    ----------
    rows : list of dict
        One for each track: "track", "seconds" (NaN if the sample rate is not known) and, for every
        source, the scores of the estimate as "sdr_vocals", of the others as "mixture_sdr_vocals"
        and "oracle_sdr_vocals". In dB.
    summary : dict
        The row that the protocol reduces them to.
    table : pandas.DataFrame, or `rows` if pandas is not installed
    windows : pandas.DataFrame, or list of dict if pandas is not installed
        A row for each window: "track", "start" and "stop" in seconds, and the scores as in `rows`,
        NaN where they are not defined.
    """

    scores: dict
    protocol: Protocol
    names: list
    sample_rates: list
    source_names: tuple

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The scores of every track."""
        return [
            {"track": name, "seconds": tracks[0].n_samples / rate}
            | self._scores(score.sources for score in tracks)
            for name, rate, tracks in self._tracks()
        ]

    @property
    def summary(self) -> dict[str, Any]:
        """The one row that the protocol reduces the tracks to."""
        seconds = sum(row["seconds"] for row in self.rows)
        scores = self._scores(score.sources for score in self.scores.values())
        return {"track": "all", "seconds": seconds} | scores

    @property
    def table(self) -> Any:
        """The rows as a `pandas.DataFrame` if pandas is installed, else as they are."""
        return _as_table(self.rows)

    @property
    def windows(self) -> Any:
        """The scores of every window, before the protocol reduces them to those of a track."""
        return _as_table(
            [
                {"track": name, "start": start / rate, "stop": stop / rate}
                | self._scores(
                    {metric: values[:, i] for metric, values in score.windows.items()}
                    for score in tracks
                )
                for name, rate, tracks in self._tracks()
                for i, (start, stop) in enumerate(tracks[0].ranges)
            ]
        )

    def plot(self, ax: Any = None, *, source: int = 0) -> "EvaluationDisplay":
        """Draw the distribution of the scores over the tracks, mixture and oracle as bounds.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of a new figure.
        source : int, default=0
            Which source: 0 is the voice.

        Returns
        -------
        sksvs.display.EvaluationDisplay
        """
        from sksvs.display import EvaluationDisplay  # which imports this package

        return EvaluationDisplay(self.scores, self.source_names, source).plot(ax)

    def to_museval(self, folder: PathLike, who: str = "estimate") -> list[Path]:
        """Write the scores of every window as museval does: one JSON file a track.

        The files are ``<folder>/test/<track>.json``, which ``museval.EvalStore().add_eval_dir``
        reads. Scores that are not defined are NaN, as in museval's own files.

        Parameters
        ----------
        folder : str or path-like
            Made if it does not exist; files of the same names are replaced.
        who : {"estimate", "mixture", "oracle"}, default="estimate"
            Whose scores.

        Returns
        -------
        list of pathlib.Path
            The files, in the order of the tracks.

        Raises
        ------
        ValueError
            If the protocol lacks one of museval's metrics (SDR, ISR, SIR, SAR), the sample rate of
            a track is not known, `who` was not scored, or the names of the tracks are not those of
            different files.
        """
        self._check_museval(who)
        folder = Path(folder).absolute() / "test"
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.json" for name in self.names]
        index = list(self.scores).index(who)
        with replacing_all(paths) as temporaries:
            for path, (_, rate, tracks) in zip(temporaries, self._tracks()):
                targets = _museval_targets(tracks[index], rate, self.source_names)
                path.write_text(json.dumps({"targets": targets}, indent=2), encoding="utf-8")
        return paths

    def _check_museval(self, who):
        """Raise if museval's files cannot be written."""
        if who not in self.scores:
            raise ValueError(
                f"who must be one of {', '.join(map(repr, self.scores))}; got {who!r}."
            )
        lacking = [
            metric.upper() for metric in MUSEVAL_METRICS if metric not in self.protocol.metrics
        ]
        if lacking:
            raise ValueError(
                f"museval needs SDR, ISR, SIR and SAR, but protocol {self.protocol.name!r} has no "
                f"{', '.join(lacking)}. Evaluate with protocol='musdb18'."
            )
        for name, rate in zip(self.names, self.sample_rates):
            if not rate:
                raise ValueError(
                    f"{name} has no known sample rate. Give evaluate(..., sample_rate=...)."
                )
        unusable = [n for n in self.names if {*"/\\\0"} & {*n} or self.names.count(n) > 1]
        if unusable:
            raise ValueError(
                f"Every track needs a name of its own that a file can have; got {unusable[0]!r}. "
                "Give evaluate(..., names=...)."
            )

    def _tracks(self):
        """Yield the name, the sample rate (NaN: not known) and the scores of every track."""
        rates = [rate or float("nan") for rate in self.sample_rates]
        yield from zip(self.names, rates, zip(*(score.tracks for score in self.scores.values())))

    def _scores(self, sources):
        """Return one row of all scores, from those by metric of every one that was scored."""
        row = {}
        for who, of_sources in zip(self.scores, sources):
            row |= scores_by_column(of_sources, self.source_names, _prefix(who))
        return row

    def __str__(self):
        """Return the scores as text: those of source 0 track by track, then all sources' own."""
        metrics, voice = self.protocol.metrics, self.source_names[0]
        unit = "" if "log_wmse" in metrics else ", dB"
        lines = [
            f"{self.protocol.name}: {self.protocol.source}",
            f"{self.protocol.method}; {voice}{unit}",
            f"{'':<32}" + "".join(f"{who:>{9 * len(metrics)}}" for who in self.scores),
            f"{'track':<32}" + len(self.scores) * "".join(f"{m.upper():>9}" for m in metrics),
        ]
        lines += [self._line(_shortened(row["track"]), row, voice) for row in self.rows]
        summary = self.summary
        of_all = {name: _shortened(f"all, {name}") for name in self.source_names}
        lines += [self._line(words, summary, name) for name, words in of_all.items()]
        return "\n".join(lines)

    def _line(self, label, row, source):
        columns = [
            f"{_prefix(who)}{metric}_{source}"
            for who in self.scores
            for metric in self.protocol.metrics
        ]
        return f"{label:<32}" + "".join(f"{row[column]:>9.2f}" for column in columns)

    def __repr__(self):
        return f"<Evaluation of {len(self.names)} tracks by {self.protocol.name}: {self.summary}>"

    def _repr_html_(self):
        """Return the table as HTML, in the colours of the page: what notebooks show."""
        rows = [*self.rows, self.summary]
        head = "".join(f"<th>{escape(column)}</th>" for column in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{_html(value)}</td>" for value in row.values()) + "</tr>"
            for row in rows
        )
        caption = f"{self.protocol.name}: {self.protocol.source}; {self.protocol.method}"
        return (
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def _prefix(who):
    return "" if who == "estimate" else f"{who}_"


def _as_table(rows):
    """Return rows as a `pandas.DataFrame` if pandas is installed, else as they are."""
    if not find_spec("pandas"):
        return rows
    from pandas import DataFrame  # not needed otherwise

    return DataFrame(rows)


def _html(value):
    return escape(value) if isinstance(value, str) else f"{value:.2f}"


def _museval_targets(track, rate, names):
    """Return the targets of museval's schema, with the scores of every window of a track."""
    return [
        {
            "name": name,
            "frames": [
                {
                    "time": start / rate,
                    "duration": (stop - start) / rate,
                    "metrics": {
                        metric.upper(): round(float(track.windows[metric][j, i]), 5)
                        for metric in MUSEVAL_METRICS
                    },
                }
                for i, (start, stop) in enumerate(track.ranges)
            ],
        }
        for j, name in enumerate(names)
    ]


def _shortened(name):
    """Return the end of a name, which tells tracks of one folder apart, in 31 characters."""
    return name if len(name) <= 31 else f"...{name[-28:]}"
