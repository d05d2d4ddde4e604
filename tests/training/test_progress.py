import io
import re
import sys

import pytest

from sksvs.training.progress import Progress
from tests.tiny_separators import analysed, tiny_separator

LINE = r"epoch {}: loss -?\d\.\d{{5}}, validation loss -?\d\.\d{{5}}, \d+ frames/s"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class FullDisk(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


def closed():
    file = io.StringIO()
    file.close()
    return file


def test_a_log_gets_one_line_an_epoch(tracks, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    tiny_separator(verbose=True, early_stopping=True).fit(*analysed(*tracks))
    first, second = log.getvalue().splitlines()
    assert re.fullmatch(LINE.format("1/2"), first), first
    assert re.fullmatch(LINE.format("2/2"), second), second


def test_a_terminal_shows_a_bar_with_losses_and_speed(tracks, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    tiny_separator(verbose=True, early_stopping=True).fit(*analysed(*tracks))
    last = terminal.getvalue().split("\r")[-1]
    assert re.match(
        r"epoch 2/2: 100%.*frames/s, loss -?\d\.\d+, validation loss -?\d\.\d+", last
    ), last


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def run_batches(progress, clock, first, other):
    """Run two epochs of 40 batches of 100 frames, the first of which takes other seconds."""
    for epoch in (1, 2):
        progress.begin_epoch(epoch)
        for i in range(40):
            clock.seconds += first if (epoch, i) == (1, 0) else other
            progress.advance(100, 0.5)
        progress.end_epoch(0.5)


@pytest.mark.parametrize(
    ("first", "other", "words"),
    [
        (20.0, 0.5, "60 seconds"),  # 20 + 79 * 0.5
        (60.0, 30.0, "40 minutes"),
        (3600.0, 100.0, "3.2 hours"),
    ],
)
def test_a_log_says_once_how_long_a_fit_takes(monkeypatch, first, other, words):
    log, clock = io.StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress(4000, 2, clock) as progress:
        run_batches(progress, clock, first, other)
    assert log.getvalue().splitlines()[0] == f"This takes about {words}."
    assert [line.partition(" ")[0] for line in log.getvalue().splitlines()[1:]] == ["epoch"] * 2


def test_how_long_a_fit_takes_is_said_when_some_seconds_have_been_timed(monkeypatch):
    log, clock = io.StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress(4000, 2, clock) as progress:
        progress.begin_epoch(1)
        for _ in range(3):
            clock.seconds += 10.0
            progress.advance(100, 0.5)
        for _ in range(9):  # ten are wanted
            clock.seconds += 1.0
            progress.advance(100, 0.5)
        assert log.getvalue() == ""
        clock.seconds += 1.0
        progress.advance(100, 0.5)
        assert log.getvalue() == "This takes about 2 minutes.\n"  # 30 + 77


def test_a_fit_that_is_resumed_takes_as_long_as_what_is_left(monkeypatch):
    log, clock = io.StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress(4000, 10, clock) as progress:
        progress.begin_epoch(10)
        for _ in range(40):
            clock.seconds += 1.0
            progress.advance(100, 0.5)
    assert log.getvalue() == "This takes about 40 seconds.\n"


def test_of_a_fit_of_seconds_it_is_not_said_how_long_it_takes(monkeypatch):
    log, clock = io.StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress(4000, 2, clock) as progress:
        run_batches(progress, clock, 1.0, 0.05)
    assert "takes" not in log.getvalue()


@pytest.mark.parametrize("file", [io.StringIO(), Terminal()])
def test_without_verbose_nothing_is_written(tracks, monkeypatch, file):
    monkeypatch.setattr(sys, "stderr", file)
    tiny_separator().fit(*analysed(*tracks))
    assert file.getvalue() == ""


@pytest.mark.parametrize("file", [None, closed(), FullDisk()])
def test_a_fit_goes_on_where_nothing_can_be_written(tracks, monkeypatch, capsys, file):
    monkeypatch.setattr(sys, "stderr", file)
    separator = tiny_separator(verbose=True).fit(*analysed(*tracks))
    assert separator.n_iter_ == 2
    assert capsys.readouterr().out == ""


def test_a_bar_on_a_terminal_that_is_closed_meanwhile_is_left(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(10, 2) as progress:
        progress.begin_epoch(1)
        terminal.close()
        progress.advance(10, 0.5)
        progress.end_epoch(0.5)
        progress.begin_epoch(2)
        progress.advance(10, 0.5)
        progress.end_epoch(0.5)
