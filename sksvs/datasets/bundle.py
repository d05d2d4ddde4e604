"""Put the tracks of a dataset together, after checking that they fit."""

from sklearn.utils import Bunch

from sksvs.stft.tracks import check_sources


def make_bunch(X, y, names, groups, description, return_X_y):
    """Return the tracks as a Bunch, or as ``(X, y)``, with sources checked against mixtures.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
    names, groups : list of str
    description : str
    return_X_y : bool
    """
    check_sources(y, X)
    if return_X_y:
        return X, y
    return Bunch(X=X, y=y, names=names, groups=groups, DESCR=description)
