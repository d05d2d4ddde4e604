"""Save a fitted pipeline to one file without pickle, and load it without trusting the file."""

import json
import os
import stat
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.model_files.savable import (
    LARGEST_DESCRIPTION,
    LARGEST_FILE,
    LARGEST_HEADER,
    STORED,
    check_card,
    check_options,
    check_place,
    check_savable,
    check_size,
)
from sksvs.model_files.steps import (
    build_pipeline,
    describe_step,
    learnt_arrays,
    separators,
    set_learnt_arrays,
)
from sksvs.parameters import short
from sksvs.system.atomic import replacing
from sksvs.training.json_values import check_depth

FORMAT = 1
KEY = "sksvs"  # of the JSON text among the metadata of a safetensors file
EXACT = ("/input_mean_", "/input_scale_")  # what is never stored as float16
LARGEST_WEIGHT = 1e9  # beyond any that is fitted, and far below where products overflow
LARGEST_STATISTIC = 1e30  # of inputs, which may have been raised to a power
# What the parts of a false file raise, each in its way.
UNUSABLE = (SafetensorError, ValueError, TypeError, RecursionError, ArithmeticError, LookupError)

__all__ = ["ModelFileError", "check_card", "check_savable", "load", "save"]


class ModelFileError(ValueError):
    """A file is no model that this version can load; the message names it and says why."""


def save(pipeline, path, *, dtype="float32", card=None):
    """Save a fitted pipeline of sksvs's own steps to one safetensors file.

    It holds the parameters of every step, what the separator has learnt, and nothing that could
    be run. Left out, and None after loading: `callbacks`, `checkpoint_dir`, `n_jobs`, a
    `random_state` that is a generator and not an integer, and the `memory` of the pipeline. Also
    left out is the optimiser's state, `training_state_`: after loading, `partial_fit` and a warm
    start go on from the weights with a new optimiser. The networks of a VotingSeparator are saved
    as they were fitted.

    The file is written whole or not at all. `check_savable` says before a fit what can be saved
    after it.

    Parameters
    ----------
    pipeline : Pipeline or search
        Fitted, from waveforms to a separator; of a search, its best estimator.
    path : str or path-like
        Its folder must exist. The usual ending is ".safetensors".
    dtype : {"float32", "float16"}, default="float32"
        How the weights are stored. They are float32 again after loading; float16 takes half the
        room and rounds them to 11 bits. Input statistics are always stored as float32.
    card : dict, optional
        What a reader should know (data, licence, scores), as far as JSON can say it, in up to
        512 KiB.

    Raises
    ------
    TypeError
        If the pipeline has a step that is not one of sksvs's own, naming it, or a parameter of a
        kind that cannot be saved.
    ValueError
        If a parameter has been changed since the fit so that the network would have other
        layers or the STFT other settings, a weight is not finite or beyond 1e9, or the card is
        not JSON, too large or nested too deeply. Other parameters are saved as they are now.
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
    if type(pipeline) is not Pipeline:
        raise TypeError(
            "Only a fitted sklearn Pipeline, or a search over one, can be saved; got "
            f"{type(pipeline).__name__}. Put it into a Pipeline."
        )
    check_options(dtype, card)
    path = check_place(path)
    document = {
        "format": FORMAT,
        "version": sksvs.__version__,
        "steps": [describe_step(name, step) for name, step in pipeline.steps],
        **({} if card is None else {"card": card}),
    }
    text = _to_json(document)
    try:
        # What load would refuse is not written.
        restored, shapes = build_pipeline(_from_json(text)["steps"])
        arrays = {}
        for (name, step), (_, same) in zip(pipeline.steps, restored.steps):
            built = separators(name, same)
            for prefix, separator in separators(name, step).items():
                if getattr(separator, "layers_", None) != getattr(built[prefix], "layers_", None):
                    raise ValueError(
                        f"step {prefix!r} has other parameters now than those that it was fitted "
                        "with. Fit it again"
                    )
                arrays |= learnt_arrays(separator, prefix)
        tensors = {name: _stored(name, arrays, shape, dtype) for name, shape in shapes.items()}
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


def load(path, *, return_card=False):
    """Load a pipeline that `save` has written; the file need not be trusted.

    Before anything is allocated, sizes, structure, names, types and bounds of all values and the
    shapes of all arrays are checked against what the steps demand. Nothing in the file is run.
    TensorFlow is not imported.

    Parameters
    ----------
    path : str or path-like
    return_card : bool, default=False
        Whether to return ``(pipeline, card)``; the card is None where there is none.

    Returns
    -------
    Pipeline
        Fitted: it predicts, scores, and can be fitted on as far as its separator can, by
        `partial_fit` or with `warm_start`.

    Raises
    ------
    ModelFileError
        A ValueError that names the file: if it is damaged, no model, written by a later version,
        or declares what it does not hold.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(os.path.abspath(path))
    with _named_errors(path):
        _check_file(path)
        with safe_open(path, framework="numpy") as file:
            document = _from_json((file.metadata() or {}).get(KEY))
            pipeline, shapes = build_pipeline(document.get("steps"))
            _check_tensors(file, shapes)
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in shapes}
        for name, array in arrays.items():
            _require_usable(name, array)
        for name, step in pipeline.steps:
            for prefix, separator in separators(name, step).items():
                set_learnt_arrays(separator, prefix, arrays)
    return (pipeline, document.get("card")) if return_card else pipeline


def _to_json(document):
    text = json.dumps(document, allow_nan=False)
    if len(text) > LARGEST_DESCRIPTION:
        sizes = {
            f"{key} of step {step['name']!r}": len(json.dumps(value))
            for step in document["steps"]
            for kind in ("parameters", "learnt")
            for key, value in step[kind].items()
        }
        largest = max(sizes, key=sizes.get)
        raise ValueError(
            f"The description of the model takes {len(text)} bytes, and {LARGEST_DESCRIPTION} are "
            f"the most. {sizes[largest]} of them are {largest}: make that shorter."
        )
    return text


def _stored(name, arrays, shape, dtype):
    """Return an array as it goes to the file, if it is what its name demands."""
    array = np.asarray(arrays[name])
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}")
    _require_usable(name, array)
    kind = np.float16 if dtype == "float16" and _is_weight(name) else np.float32
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(array, kind)
    if not np.isfinite(stored).all():
        raise ValueError(f"{name} has weights too large for float16; take dtype='float32'")
    return stored


def _is_weight(name):
    return not name.endswith(EXACT)


def _require_usable(name, array):
    """Refuse values with which a network would give no numbers."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or inf")
    largest = LARGEST_WEIGHT if _is_weight(name) else LARGEST_STATISTIC
    if array.size and np.abs(array).max() > largest:
        raise ValueError(f"{name} must be up to {largest:.0e}; got {np.abs(array).max():.3g}")
    if name.endswith("/input_scale_") and array.min() < 1 / largest:
        raise ValueError(f"{name} must be positive; got {array.min():.3g}")


@contextmanager
def _named_errors(path):
    """Raise whatever is wrong with a file as a ModelFileError that names it."""
    try:
        yield
    except UNUSABLE as error:
        reason = str(error).rstrip(".")
        raise ModelFileError(
            f"{path} cannot be loaded as a model: {reason}. Is it complete, and was it written by "
            f"sksvs.save of a version up to {sksvs.__version__}?"
        ) from error


def _check_file(path):
    """Refuse what is too small, too large, or no plain file, by its size and first bytes."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"{path} does not exist.") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no file")
    if not 8 < status.st_size <= LARGEST_FILE:
        raise ValueError(f"it has {status.st_size} bytes, and a model has 9 to {LARGEST_FILE}")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > min(LARGEST_HEADER, status.st_size - 8):
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
    """Refuse arrays that are not those that the pipeline lacks, before one is read."""
    names = set(file.keys())
    for words, some in (("lacks", set(shapes) - names), ("has too much:", names - set(shapes))):
        if some:
            raise ValueError(f"it {words} {short(min(some))}")
    for name, shape in shapes.items():
        tensor = file.get_slice(name)
        stored, got = tensor.get_dtype(), tuple(tensor.get_shape())
        allowed = [kind for kind, _ in STORED.values()] if _is_weight(name) else ["F32"]
        if stored not in allowed or got != shape:
            raise ValueError(
                f"{short(name)} must be {' or '.join(allowed)} of shape {shape}; got {stored} of "
                f"shape {got}"
            )
