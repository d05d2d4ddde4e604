"""Write a report on separated songs: a player, the levels and warnings of each."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from sklearn.pipeline import Pipeline

from sksvs.audio import AudioFile
from sksvs.audio.resampling import Resampled
from sksvs.display.excerpts import choose_excerpt
from sksvs.display.levels import measure_levels, song_warnings
from sksvs.display.page import paragraphs, table, writing_page
from sksvs.display.player import minutes
from sksvs.display.separation_display import DURATION, SeparationDisplay
from sksvs.metrics.scores import last_step
from sksvs.typing import PathLike

N_PLACES = 3  # where the members of a vote disagree most
PLACE = 5.0  # s: how long each of these is


class SeparationReport:
    """The open page of a report, to which songs are added; made by :func:`writing_report`.

    Memory does not grow with the length or the number of the songs: the files are measured a block
    at a time, and what is shown of each is an excerpt of up to 30 s.

    Parameters
    ----------
    write : callable
        Writes HTML to the page.
    folder : Path
        Of the page.
    """

    def __init__(self, write: Callable[[str], object], folder: Path):
        self._write, self._folder = write, folder

    def add_song(
        self,
        song: PathLike | AudioFile,
        stems: Sequence[PathLike],
        warnings: Sequence[str] = (),
        separator: Pipeline | None = None,
    ) -> None:
        """Add a section with a player, the levels of the song and its stems, and warnings.

        Parameters
        ----------
        song : str, path-like or AudioFile
        stems : sequence of path-like
            Files that were separated from it, the voice first. Their names are the players'.
        warnings : sequence of str, optional
            From the separation.
        separator : Pipeline, optional
            That separated it. If separators vote in it, the section says where they disagree most;
            for that, they predict once more.
        """
        song = song if isinstance(song, AudioFile) else AudioFile(song)
        files = [AudioFile(stem) for stem in stems]
        levels = [measure_levels(file) for file in (song, *files)]
        found = [*warnings, *song_warnings(levels[0])]
        if hasattr(last_step(separator), "disagreement"):
            found.append(_disagreement(separator, song))
        names = [Path(stem).stem for stem in stems]
        cells = ["mixture", *map(self._link, stems)]
        rows = [
            (cell, minutes(round(file.n_samples / file.sample_rate)), level.peak, level.rms)
            for cell, file, level in zip(cells, (song, *files), levels)
        ]
        self._write(
            f"<section>\n<h2>{escape(Path(song.path).name)}</h2>\n{paragraphs(found, 'warning')}"
            f"{_shown(song, files, names)._repr_html_()}"
            f"{table(('', 'length', 'peak, dBFS', 'RMS, dBFS'), rows)}</section>\n"
        )

    def add_failure(self, path: PathLike, error: str) -> None:
        """Add a section for a song that was not separated.

        Parameters
        ----------
        path : path-like
        error : str
        """
        self._write(
            f"<section>\n<h2>{escape(Path(path).name)}</h2>\n{paragraphs([error], 'error')}"
            "</section>\n"
        )

    def _link(self, stem):
        target = os.path.relpath(stem, self._folder).replace(os.sep, "/")
        return f'<a href="{quote(os.fsencode(target))}">{escape(Path(stem).name)}</a>'


@contextmanager
def writing_report(path: PathLike, title: str) -> Iterator[SeparationReport]:
    """Open a report; the page gets its name when the body ends, and is whole then.

    Parameters
    ----------
    path : str or path-like
        Of the page. Its folder is made if it does not exist.
    title : str

    Yields
    ------
    SeparationReport
    """
    folder = Path(os.path.abspath(path)).parent
    folder.mkdir(parents=True, exist_ok=True)
    with writing_page(path, title) as write:
        write(
            f"<p>A player plays up to {DURATION:g} s of a song, where the first stem has the most "
            "energy. Levels, in dB of full scale, and warnings are of the whole song.</p>\n"
        )
        yield SeparationReport(write, folder)


def _shown(song, stems, names):
    """Return the display of an excerpt of a song and its stems."""
    rate = song.sample_rate
    stems = [stem if stem.sample_rate == rate else Resampled(stem, rate) for stem in stems]
    first, stop = choose_excerpt(stems[0], rate, None, DURATION)
    parts = [waveform[first:stop] for waveform in (song, *stems)]
    n_samples = min(map(len, parts))  # coders may add or drop some at the end
    mixture, *estimates = (part[:n_samples] for part in parts)
    return SeparationDisplay(
        mixture,
        np.stack(estimates),
        sample_rate=rate,
        source_names=names,
        start=first / rate,
        name=Path(song.path).name,
    )


def _disagreement(separator, song):
    """Return a sentence that says where the members of a vote disagree most."""
    (x,) = separator[:-1].transform([song])
    (spread,) = separator[-1].disagreement([x])
    per_place = max(1, round(PLACE * x.waveform.sample_rate / x.params.hop_length))
    starts = np.arange(0, len(spread), per_place)
    means = np.add.reduceat(spread, starts) / np.diff([*starts, len(spread)])
    means = means[: max(1, len(spread) // per_place)]  # whole ones
    order = np.argsort(-means)[:N_PLACES]
    places = ", ".join(f"{minutes(round(i * PLACE))} ({means[i]:.2f})" for i in order)
    return (
        f"The separators that vote disagree most on the voice in the {PLACE:g} s from {places}. In "
        "brackets: the standard deviation of their masks."
    )
