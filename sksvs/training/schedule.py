"""The learning rate of an epoch, from what the epochs before it have given."""

import numpy as np


def scheduled_rate(schedule, initial, max_iter, tol, curve):
    """Return the learning rate of the next epoch; None: the one that there is.

    Parameters
    ----------
    schedule : {"constant", "cosine", "adaptive"}
        "cosine": ``initial * (1 + cos(π e / max_iter)) / 2`` after e epochs. "adaptive": divided
        by 5 whenever two epochs in succession were not better than the best by more than `tol`.
    initial : float
    max_iter : int
        Epochs in all.
    tol : float
    curve : list of float
        Loss after every epoch so far.

    Returns
    -------
    float or None

    Examples
    --------
    >>> scheduled_rate("adaptive", 0.01, 50, 0.0, [0.5, 0.4, 0.4, 0.41])
    0.002
    """
    if schedule == "constant":
        return None
    if schedule == "cosine":
        return float(initial * (1 + np.cos(np.pi * len(curve) / max_iter)) / 2)
    rate, best, n_worse = initial, np.inf, 0
    for loss in curve:
        n_worse = 0 if loss < best - tol else n_worse + 1
        best = min(best, loss)
        if n_worse == 2:
            rate, n_worse = rate / 5, 0
    return rate
