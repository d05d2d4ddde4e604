"""Choose which tracks are held out while a separator is fitted."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

_REMEDY = (
    "Fit on more tracks; or cut the tracks in time with sksvs.datasets.split_tracks, fit on both "
    "parts and mark the second ones in validation_tracks; or set early_stopping=False."
)


def choose_validation_tracks(n_tracks, fraction, random_state, groups=None, given=None):
    """Return which tracks are held out.

    Parameters
    ----------
    n_tracks : int
    fraction : float
        Of the tracks or, where there are groups, of the groups.
    random_state : numpy.random.RandomState
    groups : sequence of length n_tracks, optional
        No group is divided.
    given : sequence of bool of length n_tracks, optional
        The user's own choice.

    Returns
    -------
    array of bool, shape (n_tracks,)

    Raises
    ------
    ValueError
        If nothing would be left on one of the sides.
    """
    for name, values in (("groups", groups), ("validation_tracks", given)):
        if values is not None and len(values) != n_tracks:
            raise ValueError(
                f"{name} must have one item a track; got {len(values)} for {n_tracks} tracks."
            )
    if given is not None:
        held_out = np.asarray(given)
        if held_out.dtype != bool:
            raise TypeError(
                "validation_tracks must be booleans, True for a track that is held out; got "
                f"{held_out.dtype}."
            )
        if held_out.all() or not held_out.any():
            raise ValueError(
                f"validation_tracks must hold out some tracks and leave some to train on; got "
                f"{held_out.sum()} of {n_tracks} held out."
            )
        return held_out
    units = np.arange(n_tracks) if groups is None else np.unique(np.asarray(groups))
    if len(units) < 2:
        what = "there is only one" if groups is None else f"all are of one group, '{units[0]}'"
        raise ValueError(f"early_stopping holds out whole tracks, but {what}. {_REMEDY}")
    n_held_out = min(len(units) - 1, max(1, round(fraction * len(units))))
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    split = splitter(n_splits=1, test_size=n_held_out, random_state=random_state)
    _, test = next(split.split(np.zeros(n_tracks), groups=groups))
    held_out = np.zeros(n_tracks, bool)
    held_out[test] = True
    return held_out
