"""Write a file whole or not at all: under another name, until it is complete."""

import fcntl
import glob
import os
import secrets
import time
from contextlib import contextmanager, suppress

ABANDONED_SECONDS = 60


@contextmanager
def replacing(path):
    """Yield a temporary path beside `path` that is renamed to `path` at the end.

    If the body raises, the temporary file is removed and what was there stays. If the process is
    killed the temporary file stays, under a name with a dot, until the same file is written again:
    a temporary file that nobody has locked for a minute has been abandoned, and is removed.

    Parameters
    ----------
    path : pathlib.Path
        Absolute, in a folder that exists. An existing file's permissions are kept.
    """
    _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    lock = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield temporary
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(lock)


def _remove_abandoned(path):
    for old in path.parent.glob(f".{glob.escape(path.name)}.????????.part"):
        try:
            lock = os.open(old, os.O_RDWR)
        except OSError:  # gone already, or another user's
            continue
        try:
            if time.time() - os.fstat(lock).st_mtime > ABANDONED_SECONDS:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                old.unlink(missing_ok=True)
        except OSError:  # locked, as it is being written; or no locks here, so nobody knows
            continue
        finally:
            os.close(lock)
