"""Show how far a fit has come."""

from tqdm import tqdm


class Progress:
    """A bar with the epoch, the loss, frames per second and the time that is left.

    Parameters
    ----------
    n_frames : int
        Frames in an epoch, about.
    max_iter : int
        Epochs.
    visible : bool
    """

    def __init__(self, n_frames, max_iter, visible):
        self._n_frames, self._max_iter = n_frames, max_iter
        self._bar = tqdm(
            total=n_frames * max_iter, unit=" frames", unit_scale=True, disable=not visible
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def begin_epoch(self, number):
        """Say which epoch it is, counted from 1: not the first where a fit is resumed."""
        bar = self._bar
        if bar.n == 0:
            bar.n = bar.initial = bar.last_print_n = (number - 1) * self._n_frames
        bar.set_description(f"epoch {number}/{self._max_iter}", refresh=False)

    def advance(self, n_frames, loss):
        """Go on by some frames of this epoch; `loss` is its mean so far."""
        self._bar.set_postfix_str(f"loss {loss:.5f}", refresh=False)
        self._bar.update(n_frames)

    def end_epoch(self, loss, val_loss=None):
        """Show what the epoch has given."""
        words = f"loss {loss:.5f}"
        if val_loss is not None:
            words += f", validation loss {val_loss:.5f}"
        self._bar.set_postfix_str(words)
