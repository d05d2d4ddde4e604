"""The values in a model file: written as JSON without loss, read back with suspicion."""

from dataclasses import fields
from inspect import signature
from math import isfinite
from numbers import Integral, Real

import numpy as np

from sksvs.augmentation import Augmentation
from sksvs.parameters import short
from sksvs.stft.settings import STFTParams

LARGEST_INTEGER = 1 << 53
LONGEST_TEXT = 1000
LONGEST_LIST = 1 << 20
DEEPEST = 16
OBJECTS = {
    "STFTParams": (STFTParams, [field.name for field in fields(STFTParams)]),
    "Augmentation": (Augmentation, list(signature(Augmentation).parameters)),
}


def encode(value):
    """Return a value as what JSON knows; NumPy's scalars become Python's.

    Parameters
    ----------
    value : None, bool, number, str, list, tuple, array of bool, STFTParams or Augmentation

    Returns
    -------
    None, bool, int, float, str, list or dict
        A dict is ``{"tuple": [...]}`` or the like.

    Raises
    ------
    TypeError, ValueError
        If it is anything else, or a number that is not finite.
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, Integral):
        return int(value) if abs(value) <= LARGEST_INTEGER else float(value)
    if isinstance(value, Real):
        if not isfinite(value):
            raise ValueError(f"a number must be finite to be saved; got {value!r}")
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim == 1:
        return {"booleans": value.astype(int).tolist()}
    for name, (kind, names) in OBJECTS.items():
        if type(value) is kind:
            return {name: {key: encode(getattr(value, key)) for key in names}}
    raise TypeError(f"a value of type {type(value).__name__} cannot be saved")


def decode(value):
    """Return the value that `encode` was given.

    Parameters
    ----------
    value : object
        Out of JSON, of whatever kind.

    Raises
    ------
    TypeError, ValueError
        If `encode` does not write such a thing, or it is larger than any use.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        if not (isfinite(value) if isinstance(value, float) else abs(value) <= LARGEST_INTEGER):
            raise ValueError("a number is too large or not finite")
        return value
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"a text has more than {LONGEST_TEXT} characters")
        return value
    if isinstance(value, list):
        if len(value) > LONGEST_LIST:
            raise ValueError(f"a list has more than {LONGEST_LIST} items")
        return [decode(item) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"{short(value)} is no value")
    ((tag, content),) = value.items()
    if tag == "tuple" and isinstance(content, list):
        return tuple(decode(content))
    if tag == "booleans" and isinstance(content, list) and len(content) <= LONGEST_LIST:
        if not all(item is not True and item in (0, 1) for item in content):
            raise ValueError("booleans must be 0 and 1")
        return np.array(content, bool)
    if tag in OBJECTS and isinstance(content, dict):
        kind, names = OBJECTS[tag]
        if set(content) - set(names):
            raise ValueError(f"{tag} has no {short(sorted(set(content) - set(names)))}")
        return kind(**{name: decode(item) for name, item in content.items()})
    raise ValueError(f"{short(value)} is no value")


def check_depth(value, deepest=DEEPEST):
    """Refuse JSON that is nested more deeply than any model's."""
    if isinstance(value, (list, dict)):
        if deepest == 0:
            raise ValueError("its description is nested too deeply")
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, deepest - 1)
