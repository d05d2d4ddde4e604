"""Show the progress of a fit: a bar on a terminal, lines anywhere else."""

import sys
import time
from contextlib import suppress

from tqdm import tqdm

from sksvs.system.terminal import is_terminal

N_TRACED = 3  # batches, the first of which waits for TensorFlow to trace and compile the network
N_TIMED, TIMED_SECONDS = 10, 5.0  # batches and seconds after them, to estimate the time from


class Progress:
    """A bar with the epoch, the loss, frames per second and the time left.

    Where standard error is a file or a pipe, one line with the time that the fit takes, as soon as
    some batches after the first ones have been timed, and one at the end of every epoch; where it
    is missing, closed or no longer writable, nothing.

    Parameters
    ----------
    n_frames : int
        Approximate number of frames of an epoch.
    max_iter : int
        Epochs.
    clock : callable, optional
        Returns the time in seconds.
    """

    def __init__(self, n_frames, max_iter, clock=time.perf_counter):
        self._n_frames, self._max_iter = n_frames, max_iter
        self._clock, self._stopwatch = clock, None
        on_terminal = is_terminal(sys.stderr)
        self._log = None if on_terminal else sys.stderr
        self._bar = tqdm(
            total=n_frames * max_iter,
            unit=" frames",
            unit_scale=True,
            disable=not on_terminal,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def begin_epoch(self, number):
        """Show the number of the epoch, counted from 1; a resumed fit begins with a later one."""
        bar, self._epoch = self._bar, f"epoch {number}/{self._max_iter}"
        self._began, self._n_trained = self._clock(), 0
        if self._stopwatch is None:
            n_left = self._n_frames * (self._max_iter - number + 1)
            self._stopwatch = _Stopwatch(n_left, self._clock)
        if bar.n == 0:
            bar.n = bar.initial = bar.last_print_n = (number - 1) * self._n_frames
        bar.set_description(self._epoch, refresh=False)

    def advance(self, n_frames, loss):
        """Add frames of this epoch; `loss` is its mean so far."""
        self._n_trained += n_frames
        self._bar.set_postfix_str(f"loss {loss:.5f}", refresh=False)
        self._bar.update(n_frames)
        seconds = self._stopwatch.stop(n_frames)
        if seconds is not None:
            self._say(f"This takes about {_duration(seconds)}.")

    def end_epoch(self, loss, val_loss=None):
        """Show the losses of the epoch."""
        words = f"loss {loss:.5f}"
        if val_loss is not None:
            words += f", validation loss {val_loss:.5f}"
        self._bar.set_postfix_str(words)
        rate = self._n_trained / (self._clock() - self._began)
        self._say(f"{self._epoch}: {words}, {rate:.0f} frames/s")

    def _say(self, line):
        if self._log is not None:
            with suppress(OSError, ValueError):  # a full disk, a reader that has left, closed
                print(line, file=self._log, flush=True)


class _Stopwatch:
    """Estimate the time of a fit from some of its batches.

    Parameters
    ----------
    n_frames : int
        Number of frames of all batches.
    clock : callable
    """

    def __init__(self, n_frames, clock):
        self._n_left, self._clock = n_frames, clock
        self._n_batches = self._n_timed = 0
        self._began = self._since = clock()

    def stop(self, n_frames):
        """Add a batch that has been run; return the seconds of the whole fit, once, else None."""
        self._n_batches += 1
        if self._n_batches <= N_TRACED:
            self._n_left -= n_frames
            self._since = self._clock()
            return None
        if self._n_timed is None:
            return None
        self._n_timed += n_frames
        seconds = self._clock() - self._since
        if self._n_batches < N_TRACED + N_TIMED or seconds < TIMED_SECONDS:
            return None
        total = self._since - self._began + seconds * self._n_left / self._n_timed
        self._n_timed = None
        return total


def _duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"
