"""Save the state of a fit after epochs, and resume an interrupted fit from it."""

import hashlib
import json
import os
import time
from functools import partial
from numbers import Real
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from zipfile import BadZipFile

import numpy as np

from sksvs.parameters import parameters_that_shape
from sksvs.system.atomic import replacing
from sksvs.training.json_values import encode
from sksvs.training.loop import Run
from sksvs.training.model_pool import NetworkState
from sksvs.training.own_loss import OwnLoss

FORMAT = 3  # 1: before constants were taken off the tracks; 2: names that hashed modules
MAX_SHARE = 0.05  # of the time of a fit that goes into saving
SHORT = 0.05  # seconds: a save that takes no longer is made after every epoch


def fingerprint(separator, spectrograms, held_out, start):
    """Return the identity of a fit: a hash of its parameters, seed, tracks and starting point.

    It is the hash of a JSON description that names classes and functions without their modules:
    moving them to other modules changes nothing. A loss of the user's own counts by its code.

    Parameters
    ----------
    separator : BaseNetworkSeparator
        Its parameters that shape the network or the fit count.
    spectrograms : list of Spectrogram
        With their targets. An audio file counts by path, size and time, an array by its samples,
        and a view by its class and what it holds.
    held_out : array of bool
    start : object
        What the fit continues from; None for a new one.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    parameters = parameters_that_shape(separator, "network", "fit")
    description = {
        "format": FORMAT,
        "separator": type(separator).__name__,
        "parameters": {name: encode(value) for name, value in parameters.items()},
        "tracks": _describe([spectrograms, held_out, start], {}),
    }
    if isinstance(separator.loss, OwnLoss):
        description["loss"] = _describe_function(separator.loss.function)
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:32]


def _describe(value, known):
    """Return a JSON description of a value; `known` caches descriptions by id."""
    if value is None or isinstance(value, (bool, np.bool_, Real, str)):
        return encode(value)
    if id(value) not in known:
        known[id(value)] = value, _describe_object(value, known)  # kept, and so is its id
    return known[id(value)][1]


def _describe_object(value, known):
    if isinstance(value, np.ndarray):
        samples = np.ascontiguousarray(value)
        return [value.dtype.str, value.shape, hashlib.sha256(samples).hexdigest()]
    if isinstance(value, (list, tuple)):
        return [_describe(item, known) for item in value]
    if isinstance(value, dict):
        return {str(key): _describe(item, known) for key, item in value.items()}
    if isinstance(value, partial):
        return {"partial": _describe([value.func, value.args, value.keywords], known)}
    if callable(value) and hasattr(value, "__name__"):
        return {value.__name__: _describe(getattr(value, "__self__", None), known)}
    state = value._identity() if hasattr(value, "_identity") else value.__getstate__()
    return {type(value).__name__: _describe(state, known)}


def _describe_function(value):
    """Return a JSON description of a user's function by its code and what it holds.

    The code of functions that it calls does not count, unless they are its defaults or in its
    closure. Another version of Python may have other code.
    """
    if isinstance(value, CodeType):
        constants = [_describe_function(constant) for constant in value.co_consts]
        return [value.co_name, value.co_code.hex(), value.co_names, constants]
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        held = [value.__code__, *(value.__defaults__ or ()), *cells]
        held += (value.__kwdefaults__ or {}).values()
    elif isinstance(value, MethodType):
        held = [value.__func__, value.__self__]
    elif isinstance(value, partial):
        held = [value.func, *value.args, *value.keywords, *value.keywords.values()]
    elif isinstance(value, (list, tuple, frozenset)):
        held = sorted(value, key=repr) if isinstance(value, frozenset) else value
    elif callable(value) and not isinstance(value, type):  # an object, its class's `__call__`
        return [_describe_function(type(value).__call__), _describe(value.__getstate__(), {})]
    elif isinstance(value, (bytes, complex, type(...))):
        return repr(value)
    else:
        return _describe(value, {})
    return [_describe_function(item) for item in held]


class Checkpoint:
    """The file with the state of one fit: ``<folder>/<fingerprint>.npz``.

    It holds arrays and JSON, no pickle. It is written whole or not at all: whenever a process is
    killed, the state after a whole epoch remains. Many fits can share a folder.

    Parameters
    ----------
    folder : str or path-like
        Made where it is missing.
    name : str
        The fingerprint.
    """

    def __init__(self, folder, name):
        self.path = Path(folder).resolve() / f"{name}.npz"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._saved_at, self._took = -np.inf, 0.0  # seconds

    @property
    def is_due(self):
        """Whether to save now: saves take at most 5 % of the time."""
        passed = time.monotonic() - self._saved_at
        return self._took <= SHORT or passed * MAX_SHARE >= self._took

    def save(self, state, random_state, run):
        """Write the state after an epoch, replacing the last one.

        Parameters
        ----------
        state : NetworkState
        random_state : numpy.random.RandomState
            From which the next epoch is drawn.
        run : Run

        Raises
        ------
        OSError
            If it cannot be written; the last checkpoint stays as it is.
        """
        started = time.monotonic()
        generator = random_state.get_state(legacy=False)
        facts = {
            "format": FORMAT,
            "run": {
                **{name: value for name, value in vars(run).items() if name != "best_weights"},
                "has_best": run.best_weights is not None,
            },
            "position": generator["state"]["pos"],
            "gauss": [generator["has_gauss"], generator["gauss"]],
        }
        arrays = {
            "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8),
            "random_state": generator["state"]["key"],
            **{f"weights/{name}": array for name, array in state.weights.items()},
            **{f"best/{name}": array for name, array in (run.best_weights or {}).items()},
            **{f"optimizer/{i}": array for i, array in enumerate(state.optimizer)},
            **{f"dropout/{i}": array for i, array in enumerate(state.dropout)},
        }
        try:
            with replacing(self.path) as temporary, open(temporary, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(
                f"The checkpoint {self.path} cannot be written ({error.strerror or error}). The "
                "last one is kept: make room and fit again to continue from there."
            ) from error
        self._saved_at = time.monotonic()
        self._took = self._saved_at - started

    def load(self, random_state):
        """Return the state and the run that were saved last, or None.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            It is set to the state from which the next epoch is drawn.

        Returns
        -------
        (NetworkState, Run) or None

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        if not self.path.exists():
            return None
        try:
            with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays["facts"].tobytes())
            run = facts["run"]
            best = _named(arrays, "best") if run.pop("has_best") else None
            state = NetworkState(
                _named(arrays, "weights"), _listed(arrays, "optimizer"), _listed(arrays, "dropout")
            )
            random_state.set_state(
                ("MT19937", arrays["random_state"], facts["position"], *facts["gauss"])
            )
            return state, Run(**run, best_weights=best)
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise ValueError(
                f"The checkpoint {self.path} is damaged. Delete it to fit from the beginning."
            ) from error


def _named(arrays, kind):
    return {k.removeprefix(f"{kind}/"): v for k, v in arrays.items() if k.startswith(f"{kind}/")}


def _listed(arrays, kind):
    named = _named(arrays, kind)
    return [named[str(i)] for i in range(len(named))]
