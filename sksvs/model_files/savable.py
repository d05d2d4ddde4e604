"""Check whether a pipeline, fitted or not yet, can be saved, with which options and where."""

import json
import os
import stat
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.model_files.steps import build_pipeline, describe_step
from sksvs.system.atomic import make_temporary
from sksvs.training.json_values import check_depth
from sksvs.transforms import STFTTransformer
from sksvs.typing import PathLike

MAX_FILE = 1 << 30  # bytes, as those that follow
MAX_HEADER = 1 << 22
MAX_ARRAYS = MAX_FILE - MAX_HEADER
MAX_DESCRIPTION = MAX_HEADER // 4  # of JSON, which is longer in the header, where it is escaped
MAX_CARD = MAX_DESCRIPTION // 2
MAX_NUMBER = 24  # a float in JSON, with the comma and the space after it
STORED = {"float32": "F32", "float16": "F16"}  # types of weights, as safetensors calls them


def check_savable(
    pipeline: Pipeline,
    path: PathLike | None = None,
    *,
    dtype: str = "float32",
    card: dict | None = None,
) -> None:
    """Raise an error for a pipeline that could not be saved after its fit.

    Checks the steps and the values of their parameters, the size of the network for two sources,
    the length of its loss curves, the card, and that a file can be made beside `path`. A disk may
    still be full when the fit is over.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted or not.
    path : str or path-like, optional
        The file that it is to be saved to. A temporary file is made in the same folder and
        removed.
    dtype, card
        As in :func:`save`.

    Raises
    ------
    TypeError
        If it is not a Pipeline, a step is not of one of sksvs's own classes, or a parameter has a
        type that cannot be saved.
    ValueError
        If a parameter has a value that a fit or :func:`save` refuses.
    OSError
        If the file could not be written.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> from sksvs.transforms import IRMTarget, STFTTransformer
    >>> gru = GRUMaskSeparator(dropout=1.0)
    >>> check_savable(make_pipeline(STFTTransformer(), IRMTarget(), gru))
    Traceback (most recent call last):
    ...
    ValueError: The pipeline cannot be saved: dropout must be at least 0 and below 1; got 1.0.
    """
    check_arguments(pipeline, dtype, card)
    described = [describe_step(name, step, fitted=False) for name, step in pipeline.steps]
    try:
        restored, _ = build_pipeline(json.loads(json.dumps(described)), fitted=False)
        last = restored[-1]
        members = [member for _, member in getattr(last, "estimators", [("", last)])]
        networks = [member for member in members if isinstance(member, BaseNetworkSeparator)]
        for step in restored:
            if isinstance(step, STFTTransformer):
                counts = [x.count_params(n_freqs=step.n_fft // 2 + 1) for x in networks]
                check_size(sum(counts) * np.dtype(dtype).itemsize)
        _check_length_of_curves(networks, len(json.dumps([described, card])))
    except ValueError as error:
        raise ValueError(f"The pipeline cannot be saved: {str(error).rstrip('.')}.") from error
    if path is not None:
        _require_writable(check_place(path))


def _check_length_of_curves(networks, n_others):
    """Refuse so many epochs that the description, with `n_others` other bytes, is too long."""
    max_losses = (MAX_DESCRIPTION - n_others) // MAX_NUMBER
    n_losses = sum(network.max_iter * (1 + network.early_stopping) for network in networks)
    if n_losses > max_losses:
        raise ValueError(
            f"it would have {n_losses} losses after the epochs, and there is room for "
            f"{max_losses}. Take a smaller max_iter, or a smaller card"
        )


def check_arguments(pipeline, dtype, card):
    """Raise an error for arguments that `save` refuses whatever the pipeline holds."""
    if type(pipeline) is not Pipeline:
        raise TypeError(
            "Only a Pipeline, or a fitted search over one, can be saved; got "
            f"{type(pipeline).__name__}. Put it into a sklearn Pipeline."
        )
    if dtype not in STORED:
        raise ValueError(f"dtype must be 'float32' or 'float16'; got {dtype!r}.")
    if card is not None:
        check_card(card)


def check_card(card: object) -> None:
    """Raise an error for a value that cannot be the card of a model.

    Parameters
    ----------
    card : object

    Raises
    ------
    TypeError, ValueError
        If it is not a dict, cannot be written as JSON, is too large or nested too deeply.
    """
    if not isinstance(card, dict):
        raise TypeError(f"card must be a dict; got {type(card).__name__}.")
    try:
        text = json.dumps(card, allow_nan=False)
        check_depth({"card": json.loads(text)})
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card cannot be written as JSON ({error}).") from error
    if len(text) > MAX_CARD:
        raise ValueError(
            f"card takes {len(text)} bytes as JSON, and {MAX_CARD} are the most. Give it a "
            "smaller card."
        )


def check_size(n_bytes):
    """Raise a ValueError for more bytes of arrays than `load` accepts."""
    if n_bytes > MAX_ARRAYS:
        raise ValueError(
            f"it has {n_bytes} bytes of weights, and {MAX_ARRAYS} are the most. Make its layers "
            "smaller, or take dtype='float16'"
        )


def check_place(path):
    """Return the absolute path of a model to be written; raise an OSError if no file can be there.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Path
        Links are followed.
    """
    path = Path(path).resolve()
    if not path.parent.exists():
        raise FileNotFoundError(f"{path.parent} does not exist, so {path.name} cannot be written.")
    if not path.parent.is_dir():
        raise NotADirectoryError(f"{path.parent} is no folder, so {path.name} cannot be written.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, so no model can be written there.")
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no plain file, so no model can be written there.")
    return path


def _require_writable(path):
    """Raise an OSError if no file can be made beside a path, or that at the path not replaced."""
    try:
        make_temporary(path).unlink()
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}). Take another folder."
        ) from error
    if path.exists() and not _may_replace(path):
        raise PermissionError(f"{path} belongs to another user and cannot be replaced.")


def _may_replace(path):
    """Return whether a file in a writable folder can be replaced, as the sticky bit has it."""
    folder, file = path.parent.stat(), path.stat()
    is_shared = folder.st_mode & stat.S_ISVTX and hasattr(os, "geteuid")
    return not is_shared or os.geteuid() in (0, folder.st_uid, file.st_uid)
