"""What all loaders share: checks of their arguments, and the Bunch that they return."""

from sklearn.utils import Bunch

from sksvs.stft.tracks import check_sources

VOICE_AND_REST = ("vocals", "accompaniment")  # what tracks are separated into by default
MAX_NAMED = 5  # tracks or files that one warning names


def check_choice(name, value, choices):
    """Raise a ValueError if the value of an argument is none of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def in_words(errors):
    """Return the messages of the first errors, and how many more there are, for one warning."""
    more = f" And {len(errors) - MAX_NAMED} more." if len(errors) > MAX_NAMED else ""
    return f"{' '.join(errors[:MAX_NAMED])}{more}"


def make_bunch(X, y, names, groups, description, return_X_y, **more):
    """Return tracks as a Bunch, or as ``(X, y)``, after comparing sources with their mixtures.

    Besides the arguments, the Bunch has the ``duration`` of all tracks in seconds, which ends its
    description.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
    names, groups : list of str
    description : str
    return_X_y : bool
    **more : dict
        What else the Bunch holds.

    Raises
    ------
    ValueError
        If a source has another shape or sample rate than its mixture; it is named.
    """
    check_sources(y, X)
    if return_X_y:
        return X, y
    duration = sum(x.n_samples / x.sample_rate for x in X)
    description = f"{description} {len(X)} tracks of {duration / 60:.1f} minutes in all."
    bunch = {"X": X, "y": y, "names": names, "groups": groups, "duration": duration}
    return Bunch(**bunch, **more, DESCR=description)
