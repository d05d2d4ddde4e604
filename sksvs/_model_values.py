"""The values in a model file: written as JSON without loss, read back with suspicion."""

from dataclasses import fields
from inspect import signature
from math import isfinite
from numbers import Integral, Real

import numpy as np

from sksvs._stft import MOST_WORK
from sksvs.augmentation import Augmentation
from sksvs.spectrogram import STFTParams

# Smallest and largest value of parameters and facts that decide how much is built; of a tuple, of
# each of its items, and where these are tuples, of theirs.
BOUNDS = {
    "n_fft": (2, 1 << 17),
    "hop_length": (1, 1 << 17),
    "sample_rate": (1, 10_000_000),
    "array_rate": (1, 10_000_000),
    "context_frames": (1, 255),
    "hidden_layer_sizes": (1, 4096),
    "dense_layer_sizes": (1, 1 << 16),
    "dual_path_sizes": (1, 512),
    "conv_channels": (1, 512),
    "kernel_size": (1, 31),
    "input_power": (0, 100),
    "input_power_": (0, 100),
    "n_sources_": (2, 64),
    "n_iter_": (1, 1 << 31),
}
TUPLES_OF_TUPLES = ("dual_path_sizes",)
LARGEST_INTEGER = 1 << 53
LONGEST_TEXT = 1000
LONGEST_TUPLE = 16
LONGEST_LIST = 1 << 20
DEEPEST = 16
OBJECTS = {
    "STFTParams": (STFTParams, [field.name for field in fields(STFTParams)]),
    "Augmentation": (Augmentation, list(signature(Augmentation).parameters)),
}
CHECKED_ELSEWHERE = (
    "window",
    "recurrent_layers",
    "clip_norm",
)  # which may be of more than one type
# What a parameter may be, by the type of its default; where that is None, anything that is checked
# elsewhere.
KINDS = {
    bool: (bool, "True or False"),
    int: ((int, float), "a number"),
    float: ((int, float), "a number"),
    str: (str, "text"),
    tuple: ((tuple, list), "a tuple"),
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
        return int(value)
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
        if not abs(value) <= LARGEST_INTEGER:
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
        if len(content) > LONGEST_TUPLE:
            raise ValueError(f"a tuple has more than {LONGEST_TUPLE} items")
        return tuple(decode(item) for item in content)
    if tag == "booleans" and isinstance(content, list) and len(content) <= LONGEST_LIST:
        if not all(item is not True and item in (0, 1) for item in content):
            raise ValueError("booleans must be 0 and 1")
        return np.array(content, bool)
    if tag in OBJECTS and isinstance(content, dict):
        kind, names = OBJECTS[tag]
        if set(content) - set(names):
            raise ValueError(f"{tag} has no {short(sorted(set(content) - set(names)))}")
        values = {name: decode(item) for name, item in content.items()}
        check_analysis(values)
        return kind(**values)
    raise ValueError(f"{short(value)} is no value")


def check_analysis(values):
    """Refuse bounds and STFT settings that would take too long or too much, before it is built.

    Parameters
    ----------
    values : dict
        Of parameters or facts by name; what is not there is not checked.
    """
    for name, value in values.items():
        if name in BOUNDS and value is not None:
            _check_bounds(name, value, *BOUNDS[name])
    if "window" in values:
        _check_window(values["window"])
    n_fft, hop_length = (values.get(name, 1024) for name in ("n_fft", "hop_length"))
    for name, value in (("n_fft", n_fft), ("hop_length", hop_length)):
        if name in values and not isinstance(value, int):
            raise ValueError(f"{name} must be an integer; got {short(value)}")
    if n_fft**2 // hop_length > MOST_WORK:
        raise ValueError(f"n_fft={n_fft} with hop_length={hop_length} takes too long")


def _check_bounds(name, value, smallest, largest):
    items = value if isinstance(value, (tuple, list)) else [value]
    if len(items) > LONGEST_TUPLE:
        raise ValueError(f"{name} has more than {LONGEST_TUPLE} items")
    for item in items:
        if name in TUPLES_OF_TUPLES and isinstance(item, (tuple, list)):
            _check_bounds(name, item, smallest, largest)
            continue
        number = isinstance(item, (int, float)) and not isinstance(item, bool)
        if not number or not smallest <= item <= largest:
            raise ValueError(f"{name} must be from {smallest} to {largest}; got {short(item)}")


def _check_window(window):
    """Refuse what is no name of a window with a few numbers, none of them huge."""
    name, *numbers = window if isinstance(window, (tuple, list)) and window else (window,)
    # The numbers of "taylor" count rows of a table as long as the window.
    largest = 100 if isinstance(name, str) and name.startswith("taylor") else 1_000_000
    valid = isinstance(name, (str, float)) and len(numbers) <= 4
    for number in numbers if isinstance(name, str) else [name, *numbers]:
        is_number = isinstance(number, (int, float))
        valid = valid and (number is None or (is_number and abs(number) <= largest))
    if not valid:
        raise ValueError(f"window must be a name and numbers up to {largest}; got {short(window)}")


def check_kind(name, value, default):
    """Refuse a parameter that is of another kind than its default.

    Parameters
    ----------
    name : str
    value : object
        Decoded.
    default : object
        In the signature.
    """
    if default is None or name in CHECKED_ELSEWHERE:
        return
    kinds, words = KINDS[type(default)]
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f"{name} must be {words}; got {short(value)}")


def check_fact(name, value, kind):
    """Refuse a learnt fact that is not of its kind.

    Parameters
    ----------
    name : str
    value : object
        Decoded.
    kind : type
        int (not negative), float, list (of float), numpy.ndarray (of bool), or STFTParams.
    """
    if kind is float:
        valid = _is_number(value)
    elif kind is int:
        valid = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    elif kind is list:
        valid = isinstance(value, list) and all(map(_is_number, value))
    else:
        valid = isinstance(value, kind)
    if not valid:
        raise ValueError(f"{name} must be of type {kind.__name__}; got {short(value)}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_depth(value, deepest=DEEPEST):
    """Refuse JSON that is nested more deeply than any model's."""
    if isinstance(value, (list, dict)):
        if deepest == 0:
            raise ValueError("its description is nested too deeply")
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, deepest - 1)


def short(value):
    """Return what an error shows of a value that may be of any size."""
    text = repr(value) if not isinstance(value, (list, tuple, dict)) else repr(value)[:1000]
    return text if len(text) <= 60 else f"{text[:57]}..."
