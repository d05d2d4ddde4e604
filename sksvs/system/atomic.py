"""Write files whole or not at all, one or several together, under temporary names at first."""

import glob
import os
import secrets
import time
from contextlib import contextmanager, suppress

ABANDONED_SECONDS = 3600


@contextmanager
def replacing(path):
    """Yield a temporary path beside `path`, and rename it to `path` when the body ends.

    As :func:`replacing_all`, for one file.

    Parameters
    ----------
    path : pathlib.Path
        Absolute, in a folder that exists.
    """
    with replacing_all([path]) as (temporary,):
        yield temporary


@contextmanager
def replacing_all(paths):
    """Yield a temporary path beside each of `paths`, and rename them all when the body ends.

    If the body raises, the temporary files are removed and what was there before stays. If the
    process is killed, they stay as ``.name.xxxxxxxx.part``; those that are older than an hour are
    removed when the same file is written again.

    Parameters
    ----------
    paths : list of pathlib.Path
        Absolute, in folders that exist. The permissions of existing files are kept where the file
        system lets them.

    Raises
    ------
    IsADirectoryError
        If one of them is a folder, before anything is written.
    """
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder, so no file can be written there.")
        _remove_abandoned(path)
    temporaries = []
    try:
        for path in paths:
            temporaries.append(make_temporary(path))
        yield temporaries
        for path, temporary in zip(paths, temporaries):
            with suppress(OSError):  # no file there yet, or a file system without permissions
                os.chmod(temporary, path.stat().st_mode & 0o7777)
        for path, temporary in zip(paths, temporaries):
            os.replace(temporary, path)
    finally:  # none is left unless something has failed
        for temporary in temporaries:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def make_temporary(path):
    """Make an empty file beside `path`, ``.name.xxxxxxxx.part``, and return its path."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    temporary.touch(exist_ok=False)
    return temporary


def _remove_abandoned(path):
    for old in path.parent.glob(f".{glob.escape(path.name)}.????????.part"):
        with suppress(OSError):  # gone already, or another user's
            if time.time() - old.stat().st_mtime > ABANDONED_SECONDS:
                old.unlink()
