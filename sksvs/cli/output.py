"""Format what commands print; text from files could otherwise control the terminal."""

import json
import sys
from contextlib import suppress

import click

from sksvs.system.terminal import is_terminal


def one_line(error):
    """Return the message of an exception, or another text, in one line."""
    return in_a_line(" ".join(str(error).split())) or type(error).__name__


def in_a_line(text):
    """Return a text, a path or another value in one line, unprintable characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def printable(text):
    """Return text of several lines, other unprintable characters escaped."""
    return "\n".join(map(in_a_line, text.split("\n")))


def note(text):
    """Print a line on standard error, if that can be written: the work does not end for it."""
    with suppress(OSError):
        click.echo(text, err=True)


def to_json(value):
    """Return indented JSON, with null in place of NaN and inf."""
    finite = json.loads(json.dumps(value), parse_constant=lambda constant: None)
    return json.dumps(finite, indent=2)


def progress_bar(**settings):
    """Return a tqdm bar on standard error, which is shown on terminals only, until it ends."""
    from tqdm import tqdm

    return tqdm(leave=False, disable=not is_terminal(sys.stderr), **settings)
