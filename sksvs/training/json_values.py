"""Write values to JSON without loss, and read them back from files that are not trusted."""

from inspect import signature
from math import isfinite
from numbers import Integral, Real

import numpy as np

from sksvs.augmentation import ADDED_LATER, Augmentation
from sksvs.parameters import short
from sksvs.stft.settings import STFTParams
from sksvs.training.own_loss import OwnLoss, SpectrumLoss, WaveformLoss

MAX_INTEGER = 1 << 53  # the largest up to which a double holds every integer
MAX_TEXT = 1000  # characters
MAX_LIST = 1 << 20  # items
MAX_DEPTH = 16
OBJECTS = {kind.__name__: kind for kind in (STFTParams, Augmentation, SpectrumLoss, WaveformLoss)}


def encode(value):
    """Return a value in the types of JSON.

    Parameters
    ----------
    value : None, bool, number, str, list, tuple, array of bool, or of one of the `OBJECTS`
        NumPy's scalars become Python's, and the function of a loss its name.

    Returns
    -------
    None, bool, int, float, str, list or dict
        A type that JSON lacks becomes a dict with one key: ``{"tuple": [...]}``. Parameters in
        `ADDED_LATER` are left out where they are 0, so that checkpoints keep their names.

    Raises
    ------
    TypeError, ValueError
        If the value has another type, or is a number that is not finite.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Integral) and abs(value) <= MAX_INTEGER:
        return int(value)
    if isinstance(value, Real):
        if not isfinite(value):
            raise ValueError(f"a number must be finite to be saved; got {value!r}")
        return float(value)
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim == 1:
        return {"booleans": value.astype(int).tolist()}
    kind = type(value)
    if isinstance(value, OwnLoss) and not isinstance(value.function, str):
        value = kind(value.name)
    if OBJECTS.get(kind.__name__) is kind:
        own = {key: encode(getattr(value, key)) for key in signature(kind).parameters}
        return {kind.__name__: {k: v for k, v in own.items() if k not in ADDED_LATER or v != 0}}
    raise TypeError(f"a value of type {kind.__name__} cannot be saved")


def decode(value):
    """Return the value that `encode` was called with.

    Parameters
    ----------
    value : object
        Parsed JSON of any kind.

    Raises
    ------
    TypeError, ValueError
        If `encode` does not return such a value, or it exceeds a limit of this module.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        if not (isfinite(value) if isinstance(value, float) else abs(value) <= MAX_INTEGER):
            raise ValueError("a number is too large or not finite")
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise ValueError(f"a text has more than {MAX_TEXT} characters")
        return value
    if isinstance(value, list):
        if len(value) > MAX_LIST:
            raise ValueError(f"a list has more than {MAX_LIST} items")
        return [decode(item) for item in value]
    tag, content = next(iter(value.items())) if len(value) == 1 else (None, None)
    if tag in ("tuple", "booleans") and isinstance(content, list):
        items = decode(content)
        if tag == "tuple":
            return tuple(items)
        if not all(type(item) is int and item in (0, 1) for item in items):
            raise ValueError("booleans must be 0 and 1")
        return np.array(items, bool)
    if tag in OBJECTS and isinstance(content, dict):
        unknown = sorted(set(content) - set(signature(OBJECTS[tag]).parameters))
        if unknown:
            raise ValueError(f"{tag} has no {short(unknown)}")
        return OBJECTS[tag](**{name: decode(item) for name, item in content.items()})
    raise ValueError(f"{short(value)} is not a value that a model file can hold")


def check_depth(value, max_depth=MAX_DEPTH):
    """Raise a ValueError if JSON has lists and objects in more than `max_depth` levels."""
    if isinstance(value, (list, dict)):
        if max_depth == 0:
            raise ValueError("it is nested too deeply")
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, max_depth - 1)
