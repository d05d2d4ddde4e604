"""Save a fitted pipeline to one file without pickle, and load it without trusting the file."""

import json
import os
import stat
from pathlib import Path
from typing import Literal, overload

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.model_files.savable import (
    MAX_DESCRIPTION,
    MAX_FILE,
    MAX_HEADER,
    STORED,
    check_arguments,
    check_card,
    check_place,
    check_savable,
    check_size,
)
from sksvs.model_files.steps import (
    build_pipeline,
    describe_step,
    fitted_arrays,
    separators,
    set_fitted_arrays,
)
from sksvs.parameters import short
from sksvs.system.atomic import replacing
from sksvs.training.json_values import check_depth
from sksvs.typing import PathLike

FORMAT = 1
KEY = "sksvs"  # of the description, a JSON text, in the metadata of a safetensors file
INPUT_STATISTICS = ("/input_mean_", "/input_scale_")  # never stored as float16
MAX_WEIGHT = 1e9  # above that of any fit, and far below where products overflow
MAX_STATISTIC = 1e30  # inputs may have been raised to a power
# The errors that damaged and forged files raise in the readers below.
UNUSABLE = (SafetensorError, ValueError, TypeError, RecursionError, ArithmeticError, LookupError)

__all__ = ["ModelFileError", "check_card", "check_savable", "load", "save"]


class ModelFileError(ValueError):
    """A file that this version cannot load as a model; the message says which and why."""


def save(
    pipeline: BaseEstimator, path: PathLike, *, dtype: str = "float32", card: dict | None = None
) -> None:
    """Save a fitted pipeline of sksvs's own steps to one safetensors file.

    The file holds the parameters of every step, the weights and the other fitted attributes of
    the separator, and no code. Left out, and None after loading, are `callbacks`,
    `checkpoint_dir`, `n_jobs`, a `random_state` that is a generator and not an integer, and the
    `memory` of the pipeline. The optimiser's state, `training_state_`, is left out as well: after
    loading, `partial_fit` and a warm start go on from the weights with a new optimiser. The
    networks of a VotingSeparator are saved as they were fitted.

    The file is written whole or not at all. Call `check_savable` before a long fit to find out
    whether its result can be saved.

    Parameters
    ----------
    pipeline : Pipeline or search
        A fitted pipeline that ends in a separator. Of a search, the best estimator is saved.
    path : str or path-like
        Its folder must exist. The usual ending is ".safetensors".
    dtype : {"float32", "float16"}, default="float32"
        The type in which weights are stored. float16 takes half the space and rounds them to 11
        bits; after loading they are float32 again. Input statistics are always stored as float32.
    card : dict, optional
        Facts about the model for its users (data, licence, scores): any JSON object of up to
        512 KiB.

    Raises
    ------
    TypeError
        If a step is not of one of sksvs's own classes, or a parameter has a type that cannot be
        saved. The message names the step.
    ValueError
        If a parameter has been changed since the fit so that the network would have other
        layers or the STFT other settings, a weight is not finite or beyond 1e9, or the card is
        not JSON, too large or nested too deeply. Other parameters may have been changed: they are
        saved as they are now.
    NotFittedError
        Before `fit`.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> sksvs.save(separator, "voice.safetensors", card={"data": "MIR-1K"})    # doctest: +SKIP
    >>> separator = sksvs.load("voice.safetensors")                            # doctest: +SKIP
    """
    pipeline = getattr(pipeline, "best_estimator_", pipeline)
    check_arguments(pipeline, dtype, card)
    path = check_place(path)
    document = {
        "format": FORMAT,
        "version": sksvs.__version__,
        "steps": [describe_step(name, step) for name, step in pipeline.steps],
        **({} if card is None else {"card": card}),
    }
    text = _to_json(document)
    try:
        # Nothing is written that load would refuse.
        restored, shapes = build_pipeline(_from_json(text)["steps"])
        built = separators(restored)
        for prefix, separator in separators(pipeline).items():
            if getattr(separator, "layers_", None) != getattr(built[prefix], "layers_", None):
                raise ValueError(
                    f"step {prefix!r} has other parameters now than those that it was fitted "
                    "with. Fit it again"
                )
        arrays = fitted_arrays(pipeline)
        tensors = {
            name: _to_stored(name, arrays[name], shape, dtype) for name, shape in shapes.items()
        }
        check_size(sum(array.nbytes for array in tensors.values()))
    except ValueError as error:
        raise ValueError(f"The pipeline cannot be saved: {str(error).rstrip('.')}.") from error
    data = to_safetensors(tensors, {KEY: text})
    try:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(
            f"{path} could not be written, and is left as it was ({error.strerror or error})."
        ) from error


@overload
def load(path: PathLike, *, return_card: Literal[False] = False) -> Pipeline: ...
@overload
def load(path: PathLike, *, return_card: Literal[True]) -> tuple[Pipeline, dict | None]: ...
def load(path: PathLike, *, return_card: bool = False) -> Pipeline | tuple[Pipeline, dict | None]:
    """Load a pipeline that `save` has written; the file need not be trusted.

    Before anything is allocated, the size and structure of the file, the names, types and bounds
    of all values and the shapes of all arrays are checked. Nothing in the file is run. TensorFlow
    is not imported.

    Parameters
    ----------
    path : str or path-like
    return_card : bool, default=False
        Whether to return ``(pipeline, card)``; the card is None where there is none.

    Returns
    -------
    Pipeline
        Fitted. A separator with a network can be trained further by `partial_fit` or with
        `warm_start`.

    Raises
    ------
    ModelFileError
        A ValueError that names the file: if it is damaged, not a model, or written by a later
        version.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(os.path.abspath(path))
    try:
        _check_file(path)
        with safe_open(path, framework="numpy") as file:
            document = _from_json((file.metadata() or {}).get(KEY))
            pipeline, shapes = build_pipeline(document.get("steps"))
            _check_tensors(file, shapes)
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in shapes}
        for name, array in arrays.items():
            _require_usable(name, array)
    except UNUSABLE as error:
        reason = str(error).rstrip(".")
        raise ModelFileError(
            f"{path} cannot be loaded as a model: {reason}. Is it complete, and was it written by "
            f"sksvs.save of a version up to {sksvs.__version__}?"
        ) from error
    set_fitted_arrays(pipeline, arrays)
    return (pipeline, document.get("card")) if return_card else pipeline


def _to_json(document):
    text = json.dumps(document, allow_nan=False)
    if len(text) > MAX_DESCRIPTION:
        sizes = {
            f"{key} of step {step['name']!r}": len(json.dumps(value))
            for step in document["steps"]
            for kind in ("parameters", "learnt")
            for key, value in step[kind].items()
        }
        largest = max(sizes, key=sizes.get)
        raise ValueError(
            f"The description of the model takes {len(text)} bytes, and {MAX_DESCRIPTION} are the "
            f"most. {sizes[largest]} of them are {largest}: make that shorter."
        )
    return text


def _to_stored(name, array, shape, dtype):
    """Return a fitted array as it is stored, after checking its shape and values."""
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}")
    _require_usable(name, array)
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(array, dtype if _is_weight(name) else "float32")
    if not np.isfinite(stored).all():
        raise ValueError(f"{name} has weights too large for float16; take dtype='float32'")
    return stored


def _is_weight(name):
    return not name.endswith(INPUT_STATISTICS)


def _require_usable(name, array):
    """Refuse values with which the output of a network could be NaN or inf."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or inf")
    largest = MAX_WEIGHT if _is_weight(name) else MAX_STATISTIC
    if array.size and np.abs(array).max() > largest:
        raise ValueError(f"{name} must be up to {largest:.0e}; got {np.abs(array).max():.3g}")
    if name.endswith("/input_scale_") and array.min() < 1 / largest:
        raise ValueError(f"{name} must be positive; got {array.min():.3g}")


def _check_file(path):
    """Refuse anything but a plain file whose size and header length are within the limits."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"{path} does not exist.") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no file")
    if not 8 < status.st_size <= MAX_FILE:
        raise ValueError(f"it has {status.st_size} bytes, and a model has 9 to {MAX_FILE}")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER, status.st_size - 8):
        raise ValueError(f"its first bytes promise a header of {length} bytes")


def _from_json(text):
    if text is None:
        raise ValueError("it holds arrays, but no description of a pipeline")
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("its description is no JSON object")
    check_depth(document)
    if document.get("format") != FORMAT:
        raise ValueError(f"its format is {short(document.get('format'))}, not {FORMAT}")
    if not isinstance(document.get("card", {}), dict):
        raise ValueError("its card is no JSON object")
    return document


def _check_tensors(file, shapes):
    """Refuse, before one is read, arrays with other names, types or shapes than `shapes` has."""
    names = set(file.keys())
    for words, some in (("lacks", set(shapes) - names), ("has too much:", names - set(shapes))):
        if some:
            raise ValueError(f"it {words} {short(min(some))}")
    for name, shape in shapes.items():
        tensor = file.get_slice(name)
        stored, got = tensor.get_dtype(), tuple(tensor.get_shape())
        allowed = list(STORED.values()) if _is_weight(name) else ["F32"]
        if stored not in allowed or got != shape:
            raise ValueError(
                f"{short(name)} must be {' or '.join(allowed)} of shape {shape}; got {stored} of "
                f"shape {got}"
            )
