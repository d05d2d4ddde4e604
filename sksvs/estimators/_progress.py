"""Keep the loss curves of a fit, and print them where that is wanted."""

import time


def make_log(losses, validation_losses, max_iter, verbose):
    """Return a function that takes an `Epoch`, extends the curves and may print a line.

    Parameters
    ----------
    losses, validation_losses : list of float
        Extended in place; the second where tracks are held out.
    max_iter : int
        Epochs that are to come.
    verbose : bool
        Whether to print.
    """
    started = time.monotonic()

    def log(epoch):
        losses.append(epoch.loss)
        words = [f"epoch {epoch.number}/{max_iter}", f"loss {epoch.loss:.5f}"]
        if epoch.validation_loss is not None:
            validation_losses.append(epoch.validation_loss)
            words.append(f"validation loss {epoch.validation_loss:.5f}")
        words.append(f"{(time.monotonic() - started) / epoch.number:.2f} s an epoch")
        if verbose:
            print("  ".join(words), flush=True)

    return log
