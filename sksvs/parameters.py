"""Define which values parameters may have: one table for all estimators."""

import re
from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from sys import float_info
from typing import NamedTuple

MASK_LOSSES = ("binary_crossentropy", "mask_absolute_error", "mask_squared_error")
MAGNITUDE_LOSSES = ("magnitude_absolute_error", "magnitude_squared_error")
SPECTRUM_LOSSES = ("spectrum_absolute_error", "spectrum_squared_error", "segment_error_ratio")
WAVEFORM_LOSSES = ("si_sdr", "multi_resolution_stft")
LOSSES = *MASK_LOSSES, *MAGNITUDE_LOSSES, *SPECTRUM_LOSSES, *WAVEFORM_LOSSES
MAX_LAYERS, MAX_SOURCES = 16, 64
MAX_WINDOW, OTHERS_WEIGHTS = 1 << 20, (1e-6, 1e6)  # samples; the lowest and the highest weight
BALANCES = {"cleaner": 2.5, "balanced": 1.0, "fuller": 0.4}  # factors of a model's others_weight
MAX_TAYLOR_ROWS = 20  # as long as the window
NAME = re.compile("[A-Za-z0-9_]([A-Za-z0-9 _-]{0,62}[A-Za-z0-9_-])?")  # of a source, and its files


class Parameter(NamedTuple):
    """The values that a parameter or a fitted scalar may have, and what it has an effect on.

    Attributes
    ----------
    words : str
        The values in words, for errors.
    is_valid : callable
        Takes a value of any kind and returns whether it can be used. Every value that a fit
        accepts can be saved in a model file. `load` calls this before it builds anything, so it
        bounds all that is allocated.
    shapes : {"network", "fit", "prediction", "run", "process"}
        What the parameter has an effect on: the network or its STFT; how it is trained;
        predictions alone, so that it may be changed after the fit; how a fit runs, but not its
        result; or one process on one machine, which model files leave out.
    """

    words: str
    is_valid: Callable
    shapes: str


def _is_real(value, low=-float_info.max, high=float_info.max):
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    # NumPy's scalars have types of their own, in which a comparison may overflow.
    value = int(value) if isinstance(value, Integral) else float(value)
    return low <= value <= high


def _is_flag(value):
    return not hasattr(value, "__len__") and value in (True, False)


def _are_names(value):
    valid = _tuples(2, MAX_SOURCES, lambda x: isinstance(x, str) and NAME.fullmatch(x))(value)
    return valid and len({name.lower() for name in value}) == len(value)


def _is_window(value):
    name, *numbers = value if isinstance(value, (tuple, list)) and value else (value,)
    if not isinstance(name, str):  # the shape of a Kaiser window
        return isinstance(value, float) and _is_real(value, -1e6, 1e6)
    if name.startswith("taylor") and numbers and not _is_real(numbers[0], 1, MAX_TAYLOR_ROWS):
        return False
    numbers = [x for n in numbers for x in (n if isinstance(n, tuple) else (n,))]
    return len(numbers) <= 16 and all(
        x is None or isinstance(x, bool) or _is_real(x, -1e6, 1e6) for x in numbers
    )


# These return an `is_valid`.


def _instances(*names):  # of classes of sksvs, which may take long to import
    return lambda x: type(x).__name__ in names and type(x).__module__.startswith("sksvs.")


def _reals(low, high):
    return lambda x: _is_real(x, low, high)


def _integers(low, high):
    return lambda x: isinstance(x, Integral) and _is_real(x, low, high)


def _odd_integers(high):
    return lambda x: _integers(1, high)(x) and x % 2 == 1


def _tuples(fewest, most, is_item):
    return lambda x: (
        isinstance(x, (tuple, list)) and fewest <= len(x) <= most and all(map(is_item, x))
    )


# These return the words and an `is_valid`.


def _or_none(words, is_valid):
    return f"{words}, or None", lambda x: x is None or is_valid(x)


def _integer(low, high):
    return f"an integer from {low} to {high}", _integers(low, high)


def _real(words, is_valid):
    return words, lambda x: _is_real(x) and is_valid(x)


def _choice(*choices):
    words = "one of " + ", ".join(map(repr, choices))
    return words, lambda x: isinstance(x, str) and x in choices


def _sizes(fewest, high):
    words = f"a tuple of {fewest} to {MAX_LAYERS} integers from 1 to {high}"
    return words, _tuples(fewest, MAX_LAYERS, _integers(1, high))


def _of_each_source(words, is_valid):
    words = f"{words}, or a tuple of such numbers, one for every source"
    return words, lambda x: is_valid(x) or _tuples(1, MAX_SOURCES, is_valid)(x)


_flag = "True or False", _is_flag
_rate = _or_none("a rate in Hz from 1 to 10,000,000, such as 44100", _reals(1, 1e7))
_count = _integer(1, 1 << 31)
_positive = _real("above 0 and finite", lambda x: x > 0)
_not_negative = _real("at least 0 and finite", lambda x: x >= 0)
_share = _real("at least 0 and below 1", lambda x: 0 <= x < 1)
_curve = "a list of numbers", lambda x: type(x) is list and all(map(_is_real, x))
_probability = "a probability, from 0 to 1", _reals(0, 1)
_power = _real("above 0 and at most 100", lambda x: 0 < x <= 100)
_named = _choice(*LOSSES)
_layers = _tuples(0, MAX_LAYERS, _integers(1, MAX_LAYERS))

_TABLE: dict[str, dict[str, tuple[str, Callable]]] = {
    "network": {
        "n_fft": _integer(2, MAX_WINDOW),
        "hop_length": _integer(1, MAX_WINDOW),
        "window": (
            "a name, or a tuple of a name and numbers up to 1,000,000 (the first of 'taylor' up "
            f"to {MAX_TAYLOR_ROWS})",
            _is_window,
        ),
        "sample_rate": _rate,
        "array_rate": _rate,
        "hidden_layer_sizes": _sizes(0, 4096),
        "dense_layer_sizes": _sizes(0, 1 << 16),
        "conv_channels": _sizes(1, 512),
        "kernel_size": (
            "a tuple of two odd integers from 1 to 31, frames and bins",
            _tuples(2, 2, _odd_integers(31)),
        ),
        "dual_path_sizes": (
            f"a tuple of 0 to {MAX_LAYERS} pairs of integers from 1 to 512, the units along "
            "frequencies and frames",
            _tuples(0, MAX_LAYERS, _tuples(2, 2, _integers(1, 512))),
        ),
        "recurrent_layers": (
            "'all' or a tuple of different numbers of hidden layers, from 1 on",
            lambda x: x == "all" if isinstance(x, str) else _layers(x) and len(set(x)) == len(x),
        ),
        "filter_bank": _or_none(
            "a pair of integers from 1 to 4096, the fine and the coarse bands",
            _tuples(2, 2, _integers(1, 4096)),
        ),
        "bottleneck_factor": _or_none(*_integer(1, 64)),
        "context_frames": ("an odd integer from 1 to 255", _odd_integers(255)),
        "bidirectional": _flag,
        "joint_mask": _flag,
        "output_activation": _choice("sigmoid", "relu", "linear"),
        "n_sources_": _integer(2, MAX_SOURCES),  # names that end in "_": fitted scalars
        "stft_params_": ("STFTParams", _instances("STFTParams")),
    },
    "fit": {
        "p": _positive,
        "v": _positive,
        "input_power": _power,
        "input_power_": _power,
        "dropout": _share,
        "loss": (
            f"{_named[0]}, or SpectrumLoss(function) or WaveformLoss(function) of sksvs.training",
            lambda x: _named[1](x) or _instances("SpectrumLoss", "WaveformLoss")(x),
        ),
        "discriminative": _share,
        "error_floor": _real("above 0 and at most 1", lambda x: 0 < x <= 1),
        "solver": _choice("adam", "rmsprop", "sgd"),
        "learning_rate": _choice("constant", "cosine", "adaptive"),
        "learning_rate_init": _positive,
        "clip_norm": _or_none(*_positive),
        "ema_momentum": _share,
        "batch_size": _count,
        "segment_frames": _count,
        "max_iter": _count,
        "n_iter_": _count,
        "loss_curve_": _curve,
        "validation_loss_curve_": _curve,
        "source_names_": (
            f"a tuple of 2 to {MAX_SOURCES} names, which become those of files: each of 1 to 64 "
            "letters from A to Z, digits, '_', '-' and spaces, without '-' or a space before or a "
            "space behind, and different whatever the case of their letters",
            _are_names,
        ),
        "held_out_": (
            "an array of booleans",
            lambda x: getattr(x, "ndim", 0) == 1 and str(x.dtype) == "bool",
        ),
        "early_stopping": _flag,
        "validation_fraction": _real("above 0 and below 1", lambda x: 0 < x < 1),
        "n_iter_no_change": _count,
        "tol": _not_negative,
        "mixed_precision": _flag,
        "warm_start": _flag,
        "augmentation": _or_none("a sksvs.augmentation.Augmentation", _instances("Augmentation")),
        "gain_db": _not_negative,  # from here to "limit": of Augmentation
        "remix": _probability,
        "shift": _probability,
        "speed": _of_each_source("at least 0 and at most 0.5", _reals(0, 0.5)),
        "channel": _probability,
        "effects": _probability,
        "drop": _of_each_source(*_probability),
        "limit": _probability,
        "random_state": _or_none(
            "an integer from 0 to 2**32 - 1, a numpy.random.RandomState",
            lambda x: hasattr(x, "random_sample") or _integers(0, 2**32 - 1)(x),
        ),
    },
    "prediction": {
        "mask": _choice("ratio", "binary"),
        "others_weight": ("from 1e-6 to 1e6", _reals(*OTHERS_WEIGHTS)),
        "side_weight": ("from 0 to 1e6", _reals(0, 1e6)),
        "weights": _or_none(
            "1 to 16 numbers, 0 or more each", _tuples(1, 16, _reals(0, float_info.max))
        ),
        "transpositions": (
            "a tuple of 1 to 8 numbers from 0.5 to 2",
            _tuples(1, 8, _reals(0.5, 2)),
        ),
    },
    "run": {
        "cache_size": _not_negative,
        "verbose": ("True or False", lambda x: _is_flag(x) or _integers(0, 1 << 31)(x)),
    },
    "process": {
        "checkpoint_dir": _or_none("a path", lambda x: isinstance(x, (str, PathLike))),
        "callbacks": _or_none("a list", lambda x: isinstance(x, (list, tuple))),
        "n_jobs": _or_none("an integer other than 0", lambda x: isinstance(x, Integral) and x != 0),
    },
}
PARAMETERS = {k: Parameter(*rule, on) for on, rules in _TABLE.items() for k, rule in rules.items()}


def parameters_that_shape(step, *shapes):
    """Return the parameters of a step, by name, that have an effect on one of `shapes`.

    Parameters
    ----------
    step : BaseEstimator
        A parameter that is not in the table, as of a user's own class, has an effect on the fit.
    *shapes : str
        See :class:`Parameter`.

    Returns
    -------
    dict
    """
    unknown = Parameter("", bool, "fit")
    own = step.get_params(deep=False).items()
    return {name: value for name, value in own if PARAMETERS.get(name, unknown).shapes in shapes}


def check_value(name, value, owner=""):
    """Raise a ValueError if a parameter or a fitted scalar cannot have a value.

    Parameters
    ----------
    name : str
        A name that is not in the table may have any value.
    value : object
        Of any kind and size.
    owner : str, optional
        What the error begins with.
    """
    if name in PARAMETERS and not PARAMETERS[name].is_valid(value):
        raise ValueError(f"{owner}{name} must be {PARAMETERS[name].words}; got {short(value)}.")


def check_range(step, *names):
    """Raise a ValueError if one of the named parameters of a step has an unusable value."""
    for name in names:
        check_value(name, getattr(step, name), f"{type(step).__name__}: ")


def check_parameters(step):
    """Raise a ValueError for the first parameter of a step with an unusable value.

    Values that exclude each other are refused, too.
    """
    own = step.get_params(deep=False)
    check_range(step, *own)
    hidden, layers = own.get("hidden_layer_sizes"), own.get("recurrent_layers", "all")
    if hidden is not None and not (hidden or own.get("dual_path_sizes")):
        words = "a tuple of 1 or more sizes where there are no dual_path_sizes"
        _refuse(step, "hidden_layer_sizes", words)
    if layers != "all" and max(layers, default=1) > len(hidden):
        words = f"'all' or a tuple of numbers of hidden layers, from 1 to {len(hidden)}"
        _refuse(step, "recurrent_layers", words)
    if own.get("discriminative") and own["loss"] not in MAGNITUDE_LOSSES:
        _refuse(step, "discriminative", "0 where the loss does not compare magnitudes")
    if own.get("checkpoint_dir") is not None and not isinstance(own["random_state"], Integral):
        words = "an integer where there is a checkpoint_dir, so that a fit can be resumed"
        _refuse(step, "random_state", words)
    if own.get("augmentation") is not None:
        own["augmentation"].check()


def _refuse(step, name, words):
    got = short(getattr(step, name))
    raise ValueError(f"{type(step).__name__}: {name} must be {words}; got {got}.")


def short(value):
    """Return the first 60 characters of the repr of a value, for errors."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
