import io
import re
import sys

import pytest

from sksvs.training.progress import Progress
from tests.tiny_separators import analysed, tiny_separator

LINE = r"epoch {}: loss \d\.\d{{5}}, validation loss \d\.\d{{5}}, \d+ frames/s"


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
    assert re.match(r"epoch 2/2: 100%.*frames/s, loss \d\.\d+, validation loss \d\.\d+", last), last


@pytest.mark.parametrize("file", [io.StringIO(), Terminal()])
def test_without_verbose_nothing_is_written(monkeypatch, file):
    monkeypatch.setattr(sys, "stderr", file)
    with Progress(10, 1, visible=False) as progress:
        progress.begin_epoch(1)
        progress.advance(10, 0.5)
        progress.end_epoch(0.5)
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
    with Progress(10, 2, visible=True) as progress:
        progress.begin_epoch(1)
        terminal.close()
        progress.advance(10, 0.5)
        progress.end_epoch(0.5)
        progress.begin_epoch(2)
        progress.advance(10, 0.5)
        progress.end_epoch(0.5)
