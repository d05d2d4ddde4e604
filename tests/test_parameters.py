"""One table says what every parameter may be; what it lets through can be saved."""

import json
from fractions import Fraction

import numpy as np
import pytest

from sksvs.augmentation import Augmentation
from sksvs.estimators import CRNSeparator, DRNNSeparator, GRUMaskSeparator
from sksvs.model_files.steps import known_classes
from sksvs.parameters import PARAMETERS, check_parameters, check_value, parameters_that_shape
from sksvs.stft import STFTParams
from sksvs.training.json_values import decode, encode

CLASSES = {**known_classes(), "Augmentation": Augmentation}
CHECKED_BY_ITS_CLASS = {"estimators"}


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_parameter_is_in_the_table_and_its_default_is_valid(kind):
    step = kind([]) if kind.__name__ == "VotingSeparator" else kind()
    assert set(step.get_params(deep=False)) - CHECKED_BY_ITS_CLASS <= set(PARAMETERS)
    check_parameters(step)


def test_every_row_of_the_table_belongs_to_a_parameter_or_a_fitted_scalar():
    own = {name for kind in CLASSES.values() for name in kind._get_param_names()}
    scalars = {x for kind in CLASSES.values() for x in getattr(kind, "_fitted_scalars", ())}
    assert set(PARAMETERS) == (own - CHECKED_BY_ITS_CLASS) | scalars


NUMBERS = [0, 1, 2, 3, 16, 0.5, 1.5, -1, 1e300, 2**31, 2**54, 10**400, np.inf, np.nan]
NUMBERS += [np.int8(3), np.float16(0.5), np.float32(0.7), np.uint64(2**64 - 1), Fraction(1, 4)]
VALUES = [
    *NUMBERS,
    *[(x,) for x in NUMBERS],
    *[[x, x] for x in NUMBERS],
    *[((x, x),) for x in NUMBERS],
    *[(1,) * 16, (1,) * 17, (0.1,) * 64, (0.1,) * 65, (1, 2), [], (), ((), 1), {}, {"x": 1}],
    *[None, True, False, np.True_, "", "all", "adam", "cosine", "hann", "sigmoid", "ratio", "relu"],
    *["constant", "segment_error_ratio", ("kaiser", 8.6), ("taylor", 20, 30), ("taylor", 21)],
    *[("general_cosine", (0.5, 0.5)), ("tukey", None), ("kaiser", "8"), ("kaiser", 1e7), b"hann"],
    *[np.zeros(3), np.zeros(()), np.zeros(1, bool), np.random.RandomState(0), Augmentation()],
    *[STFTParams(), object(), print, [1.0, 2], [1, "2"]],
]


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_is_valid_comes_out_of_a_file_as_it_went_in(name):
    rule, n_valid = PARAMETERS[name], 0
    for value in VALUES:
        if not rule.is_valid(value):
            with pytest.raises(ValueError, match=f"^Owner: {name} must be ") as caught:
                check_value(name, value, "Owner: ")
            assert len(str(caught.value)) < 400
            continue
        n_valid += 1
        check_value(name, value)
        if rule.shapes == "process" or isinstance(value, np.random.RandomState):
            continue  # left out of files
        back = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
        check_value(name, back)
        assert repr(back) == repr(value) or np.all(back == value)
    assert n_valid > 0


CHANGES = {
    "hidden_layer_sizes": (3, 3, 4),
    "dense_layer_sizes": (5,),
    "conv_channels": (4,),
    "kernel_size": (1, 3),
    "dual_path_sizes": ((2, 3),),
    "recurrent_layers": (1,),
    "context_frames": 5,
    "bidirectional": False,
    "joint_mask": True,
    "output_activation": "relu",
    "input_power": 0.7,
    "dropout": 0.2,
    "loss": "magnitude_squared_error",
    "bottleneck_factor": 2,
    "filter_bank": (2, 3),
    "discriminative": 0.01,
    "error_floor": 0.01,
    "solver": "sgd",
    "learning_rate": "adaptive",
    "learning_rate_init": 0.5,
    "clip_norm": 3.0,
    "ema_momentum": 0.9,
    "batch_size": 3,
    "segment_frames": 7,
    "max_iter": 9,
    "early_stopping": True,
    "validation_fraction": 0.3,
    "n_iter_no_change": 4,
    "tol": 0.1,
    "mixed_precision": True,
    "warm_start": True,
    "augmentation": Augmentation(gain_db=1.0),
    "random_state": 5,
    "others_weight": 2.0,
    "side_weight": 1.0,
    "cache_size": 3,
    "verbose": True,
    "checkpoint_dir": "folder",
    "callbacks": [],
}
NETWORKS = [
    GRUMaskSeparator((3,), loss="magnitude_absolute_error", random_state=0),
    CRNSeparator((3, 4), loss="magnitude_absolute_error", random_state=0),
    DRNNSeparator((3, 3), joint_mask=False, loss="magnitude_absolute_error", random_state=0),
]


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_depend_on_the_parameters_that_shape_the_network_and_on_no_others(network):
    layers = network._layers(17, 2)
    own = network.get_params(deep=False)
    changed = {
        name
        for name in own
        if type(network)(**{**own, name: CHANGES[name]})._layers(17, 2) != layers
    }
    assert changed == set(parameters_that_shape(network, "network"))


def test_what_is_not_in_the_table_has_an_effect_on_the_fit():
    class Own(GRUMaskSeparator):
        def __init__(self, depth=3):
            self.depth = depth

    assert parameters_that_shape(Own(), "network", "fit") == {"depth": 3}
