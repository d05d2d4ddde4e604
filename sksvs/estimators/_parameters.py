"""Check the parameters of a separator when it is fitted."""

from math import isfinite
from numbers import Integral, Real

from sksvs.augmentation import Augmentation
from sksvs.estimators._objective import LOSSES, MAGNITUDE_LOSSES
from sksvs.estimators._schedule import SCHEDULES

CHOICES = {
    "output_activation": ("sigmoid", "relu", "linear"),
    "loss": LOSSES,
    "solver": ("adam", "rmsprop", "sgd"),
    "learning_rate": SCHEDULES,
}
RANGES = {  # name: kind, what it must be in words, test; infinite it may not be
    "batch_size": (Integral, "an integer of at least 1", lambda x: x >= 1),
    "context_frames": (Integral, "an odd integer of at least 1", lambda x: x >= 1 and x % 2 == 1),
    "segment_frames": (Integral, "an integer of at least 1", lambda x: x >= 1),
    "max_iter": (Integral, "an integer of at least 1", lambda x: x >= 1),
    "n_iter_no_change": (Integral, "an integer of at least 1", lambda x: x >= 1),
    "dropout": (Real, "at least 0 and below 1", lambda x: 0 <= x < 1),
    "input_power": (Real, "above 0 and finite", lambda x: x > 0),
    "learning_rate_init": (Real, "above 0 and finite", lambda x: x > 0),
    "validation_fraction": (Real, "above 0 and below 1", lambda x: 0 < x < 1),
    "discriminative": (Real, "at least 0 and below 1", lambda x: 0 <= x < 1),
    "others_weight": (Real, "from 1e-6 to 1e6", lambda x: 1e-6 <= x <= 1e6),
    "tol": (Real, "at least 0 and finite", lambda x: x >= 0),
    "cache_size": (Real, "at least 0 and finite", lambda x: x >= 0),
}
MOST_TRANSPOSITIONS = 8


def check_parameters(separator):
    """Raise a ValueError that names the first parameter with an unusable value.

    Of the rules, those apply whose parameters the separator has.
    """
    for name, choices in CHOICES.items():
        if getattr(separator, name) not in choices:
            _refuse(separator, name, "one of " + ", ".join(map(repr, choices)))
    own = separator.get_params(deep=False)
    for name in RANGES:
        if name in own:
            check_range(separator, name)
    for name in ("bidirectional", "joint_mask", "early_stopping", "mixed_precision", "warm_start"):
        if own.get(name, False) not in (True, False):
            _refuse(separator, name, "True or False")
    if separator.discriminative and separator.loss not in MAGNITUDE_LOSSES:
        _refuse(separator, "discriminative", "0 where the loss does not compare magnitudes")
    clip_norm = separator.clip_norm
    if clip_norm is not None and not (_is_number(clip_norm, Real) and clip_norm > 0):
        _refuse(separator, "clip_norm", "above 0 and finite, or None")
    if "dual_path_sizes" in own:
        _check_dual_path_sizes(separator)
    for name, fewest in (
        ("hidden_layer_sizes", 0 if own.get("dual_path_sizes") else 1),
        ("dense_layer_sizes", 0),
        ("conv_channels", 1),
    ):
        sizes = own.get(name)
        valid = isinstance(sizes, (tuple, list)) and len(sizes) >= fewest
        if name in own and not (valid and all(map(_is_size, sizes))):
            _refuse(separator, name, f"a tuple of {fewest} or more positive integers")
    if "kernel_size" in own:
        _check_kernel_size(separator)
    if "recurrent_layers" in own:
        _check_recurrent_layers(separator)
    if separator.augmentation is not None:
        if not isinstance(separator.augmentation, Augmentation):
            _refuse(separator, "augmentation", "a sksvs.augmentation.Augmentation, or None")
        separator.augmentation.check()
    if separator.checkpoint_dir is not None and not isinstance(separator.random_state, Integral):
        _refuse(
            separator,
            "random_state",
            "an integer where there is a checkpoint_dir, so that a fit can be resumed",
        )


def check_range(separator, name):
    """Raise a ValueError if the parameter of this name, one of RANGES, is out of its range."""
    kind, words, is_valid = RANGES[name]
    value = getattr(separator, name)
    if not (_is_number(value, kind) and is_valid(value)):
        _refuse(separator, name, words)


def check_transpositions(separator):
    """Raise a ValueError if `transpositions` are not factors of frequencies, not too many."""
    given = separator.transpositions
    valid = isinstance(given, (tuple, list)) and 1 <= len(given) <= MOST_TRANSPOSITIONS
    if not (valid and all(_is_number(x, Real) and 0.5 <= x <= 2 for x in given)):
        words = f"a tuple of 1 to {MOST_TRANSPOSITIONS} numbers from 0.5 to 2"
        _refuse(separator, "transpositions", words)


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool) and isfinite(value)


def _is_size(value):
    return _is_number(value, Integral) and value >= 1


def _check_kernel_size(separator):
    given = separator.kernel_size
    valid = isinstance(given, (tuple, list)) and len(given) == 2
    if not (valid and all(_is_size(n) and n % 2 for n in given)):
        _refuse(separator, "kernel_size", "a tuple of two odd positive integers, frames and bins")


def _check_dual_path_sizes(separator):
    given = separator.dual_path_sizes
    if not (isinstance(given, (tuple, list)) and all(map(_is_pair_of_sizes, given))):
        words = "a tuple of pairs of positive integers, the units along frequencies and frames"
        _refuse(separator, "dual_path_sizes", words)


def _is_pair_of_sizes(pair):
    return isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(_is_size, pair))


def _check_recurrent_layers(separator):
    given, n_layers = separator.recurrent_layers, len(separator.hidden_layer_sizes)
    if given == "all":
        return
    valid = isinstance(given, (tuple, list)) and all(_is_size(n) and n <= n_layers for n in given)
    if not valid or len(set(given)) < len(given):
        words = f"'all' or a tuple of different numbers of hidden layers, from 1 to {n_layers}"
        _refuse(separator, "recurrent_layers", words)


def _refuse(separator, name, words):
    raise ValueError(
        f"{type(separator).__name__}: {name} must be {words}; got {getattr(separator, name)!r}."
    )
