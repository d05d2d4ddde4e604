"""Show the progress of a fit: a bar on a terminal, a line an epoch anywhere else."""

import sys
import time
from contextlib import suppress

from tqdm import tqdm

from sksvs.system.terminal import is_terminal


class Progress:
    """A bar with the epoch, the loss, frames per second and the time left.

    Where standard error is a file or a pipe, one line at the end of every epoch; where it is
    missing, closed or no longer writable, nothing.

    Parameters
    ----------
    n_frames : int
        Approximate number of frames of an epoch.
    max_iter : int
        Epochs.
    visible : bool
    """

    def __init__(self, n_frames, max_iter, visible):
        self._n_frames, self._max_iter = n_frames, max_iter
        on_terminal = is_terminal(sys.stderr)
        self._log = sys.stderr if visible and not on_terminal else None
        self._bar = tqdm(
            total=n_frames * max_iter,
            unit=" frames",
            unit_scale=True,
            disable=not (visible and on_terminal),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def begin_epoch(self, number):
        """Show the number of the epoch, counted from 1; a resumed fit begins with a later one."""
        bar, self._epoch = self._bar, f"epoch {number}/{self._max_iter}"
        self._began, self._n_trained = time.perf_counter(), 0
        if bar.n == 0:
            bar.n = bar.initial = bar.last_print_n = (number - 1) * self._n_frames
        bar.set_description(self._epoch, refresh=False)

    def advance(self, n_frames, loss):
        """Add frames of this epoch; `loss` is its mean so far."""
        self._n_trained += n_frames
        self._bar.set_postfix_str(f"loss {loss:.5f}", refresh=False)
        self._bar.update(n_frames)

    def end_epoch(self, loss, val_loss=None):
        """Show the losses of the epoch."""
        words = f"loss {loss:.5f}"
        if val_loss is not None:
            words += f", validation loss {val_loss:.5f}"
        self._bar.set_postfix_str(words)
        if self._log is not None:
            rate = self._n_trained / (time.perf_counter() - self._began)
            with suppress(OSError, ValueError):  # a full disk, a reader that has left, closed
                print(f"{self._epoch}: {words}, {rate:.0f} frames/s", file=self._log, flush=True)
