"""Copy the bytes of a pipe into a temporary file, since a pipe can be read only once."""

import os
import select
import stat
import sys
import tempfile
import time
import weakref
from contextlib import suppress

TIMEOUT = 60.0  # seconds without a byte after which reading is given up
BLOCK_BYTES = 1 << 20
STANDARD_INPUT = "-"


def is_pipe(path):
    """Return whether a path is standard input ("-"), a FIFO or a socket."""
    if path == STANDARD_INPUT:
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class PipeCopy:
    """The bytes of a pipe in a temporary file, which goes away with this object.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    path : str
        Of the temporary file.

    Raises
    ------
    ValueError
        If standard input is closed or a terminal, or nothing is written to the pipe for a minute.
    """

    def __init__(self, path):
        source = _open(path)
        try:
            file, self.path = tempfile.mkstemp(prefix="sksvs-")
            weakref.finalize(self, _remove, self.path)
            with open(file, "wb") as copy:
                _copy(source, copy, path)
        finally:
            os.close(source)


def _remove(path):
    with suppress(OSError):
        os.remove(path)


def _open(path):
    """Return the file descriptor of a pipe."""
    if path == STANDARD_INPUT or os.path.realpath(path) == os.path.realpath("/dev/stdin"):
        if sys.stdin is None:
            raise ValueError("Standard input is closed: name a file in place of -.")
        if stat.S_ISCHR(os.fstat(0).st_mode):
            raise ValueError(
                "Standard input is a terminal or a device: name a file in place of -, or write "
                "the audio into sksvs, as 'ffmpeg -i song.m4a -f wav - | sksvs separate -'."
            )
        return os.dup(0)
    # A FIFO that nobody writes to is opened at once, and waited for below.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))


def _copy(source, copy, path):
    """Copy bytes until the writer closes the pipe; wait for the first writer of a FIFO."""
    waits = os.path.exists(path) and not path.startswith(("/dev/", "/proc/"))
    last = time.monotonic()
    while True:
        data = None
        if os.name == "nt" or select.select([source], [], [], 0.1)[0]:
            with suppress(BlockingIOError):
                data = os.read(source, BLOCK_BYTES)
        if data:
            copy.write(data)
            last, waits = time.monotonic(), False
        elif data is not None and not waits:
            return
        elif time.monotonic() - last > TIMEOUT:
            raise ValueError(
                f"{path} is a pipe to which nothing has been written for {TIMEOUT:.0f} s. Write "
                "the audio into it, or name a file."
            )
        elif data is not None:
            time.sleep(0.05)  # nobody has opened the other end yet
