"""Hold back what TensorFlow's libraries write to the terminal while they start."""

import os
import re
import sys
import tempfile
from contextlib import contextmanager

# Information and warnings of the C++ log, and the one error that says there is no GPU.
_NOISE = re.compile(rb"[IW]\d{4} |WARNING: All log messages before absl|E\d{4} .*cuInit|To enable ")


@contextmanager
def without_startup_log():
    """Keep standard error free of remarks on oneDNN, CUDA and the like.

    They come from C++, before any of its settings can be changed from Python, and look like
    failures to whoever reads them first. All else that is written meanwhile is passed on.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held_back.seek(0)
            rest = [line for line in held_back if not _NOISE.match(line)]
            os.write(2, b"".join(rest))
