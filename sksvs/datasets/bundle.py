"""What all loaders share: checks of their arguments, and the Bunch that they return."""

from sklearn.utils import Bunch

from sksvs.stft.tracks import check_sources


def check_choice(name, value, choices):
    """Raise a ValueError if the value of an argument is none of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def make_bunch(X, y, names, groups, description, return_X_y):
    """Return tracks as a Bunch, or as ``(X, y)``, after comparing sources with their mixtures.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
    names, groups : list of str
    description : str
    return_X_y : bool

    Raises
    ------
    ValueError
        If a source has another shape or sample rate than its mixture; it is named.
    """
    check_sources(y, X)
    if return_X_y:
        return X, y
    return Bunch(X=X, y=y, names=names, groups=groups, DESCR=description)
