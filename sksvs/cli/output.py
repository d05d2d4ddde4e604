"""What commands print: errors in a line, and text out of files that is not trusted."""

import json
import sys

from sksvs.system.terminal import is_terminal


def one_line(error):
    """Return what an exception or a path says, without line breaks."""
    return in_a_line(" ".join(str(error).split())) or type(error).__name__


def in_a_line(text):
    """Return text, or a path, in which line breaks are escaped, too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def printable(text):
    """Return text in which nothing can command the terminal: other characters are escaped."""
    return "\n".join(map(in_a_line, text.split("\n")))


def to_json(value):
    """Return indented JSON; a number that is not finite is null."""
    return json.dumps(_finite(value), indent=2)


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def progress_bar(**settings):
    """Return a tqdm bar on standard error, seen on terminals alone and gone when it ends."""
    from tqdm import tqdm

    return tqdm(leave=False, disable=not is_terminal(sys.stderr), **settings)
