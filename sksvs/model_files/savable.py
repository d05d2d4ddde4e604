"""What can go into a model file: options, place and size, and pipelines before they are fitted."""

import json
import os
import stat
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from sksvs.estimators import VotingSeparator
from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.model_files.steps import build_pipeline, describe_step, stft_step
from sksvs.system.atomic import make_temporary
from sksvs.training.json_values import check_depth

LARGEST_FILE = 1 << 30
LARGEST_HEADER = 1 << 22
LARGEST_ARRAYS = LARGEST_FILE - LARGEST_HEADER
LARGEST_DESCRIPTION = LARGEST_HEADER // 4  # characters of JSON, which the header escapes
LARGEST_CARD = LARGEST_DESCRIPTION // 2
LONGEST_NUMBER = 24  # characters of a float in JSON, and what parts it from the next
STORED = {"float32": ("F32", np.float32), "float16": ("F16", np.float16)}


def check_savable(pipeline, path=None, *, dtype="float32", card=None):
    """Refuse, before it is fitted, a pipeline that could not be saved afterwards.

    Checked is what can be known: the steps and the values of their parameters, how large the
    network becomes for two sources, how long its loss curves, the card, and that a file can be
    made beside `path`. A disk may still be full when the fit is over.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted or not.
    path : str or path-like, optional
        Where it is to be saved. A temporary file is made in the same folder, and removed.
    dtype, card
        As in :func:`save`.

    Raises
    ------
    TypeError
        If it is no Pipeline, or has a step that is not one of sksvs's own or a parameter of a kind
        that cannot be saved.
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
    if type(pipeline) is not Pipeline:
        raise TypeError(f"Only a sklearn Pipeline can be saved; got {type(pipeline).__name__}.")
    check_options(dtype, card)
    described = [describe_step(name, step, fitted=False) for name, step in pipeline.steps]
    try:
        restored, _ = build_pipeline(json.loads(json.dumps(described)), fitted=False)
        _check_size_of_network(restored, np.dtype(STORED[dtype][1]).itemsize)
        _check_length_of_curves(restored, len(json.dumps([described, card])))
    except ValueError as error:
        raise ValueError(f"The pipeline cannot be saved: {str(error).rstrip('.')}.") from error
    if path is not None:
        _require_writable(check_place(path))


def _networks(pipeline):
    last = pipeline[-1]
    members = [x for _, x in last.estimators] if isinstance(last, VotingSeparator) else [last]
    return [x for x in members if isinstance(x, BaseNetworkSeparator)]


def _check_size_of_network(pipeline, bytes_per_weight):
    _, stft = stft_step(pipeline.steps)
    if stft is not None:
        n_freqs = stft.n_fft // 2 + 1
        counts = [network.count_params(n_freqs=n_freqs) for network in _networks(pipeline)]
        check_size(bytes_per_weight * sum(counts))


def _check_length_of_curves(pipeline, n_others):
    """Refuse so many epochs that their losses would not go beside the other characters."""
    room = (LARGEST_DESCRIPTION - n_others) // LONGEST_NUMBER
    curves = [network.max_iter * (1 + network.early_stopping) for network in _networks(pipeline)]
    if sum(curves) > room:
        raise ValueError(
            f"it would have {sum(curves)} losses after the epochs, and there is room for {room}. "
            "Take a smaller max_iter, or a smaller card"
        )


def check_options(dtype, card):
    """Refuse a `dtype` or a `card` that `save` does not take."""
    if dtype not in STORED:
        raise ValueError(f"dtype must be 'float32' or 'float16'; got {dtype!r}.")
    if card is not None:
        check_card(card)


def check_card(card):
    """Refuse what cannot be the card of a model.

    Parameters
    ----------
    card : object

    Raises
    ------
    TypeError, ValueError
        If it is no dict, cannot be written as JSON, is too large or is nested too deeply.
    """
    if not isinstance(card, dict):
        raise TypeError(f"card must be a dict; got {type(card).__name__}.")
    try:
        text = json.dumps(card, allow_nan=False)
        check_depth({"card": json.loads(text)})
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error).replace("its description", "it")
        raise ValueError(f"card cannot be written as JSON ({reason}).") from error
    if len(text) > LARGEST_CARD:
        raise ValueError(
            f"card takes {len(text)} bytes as JSON, and {LARGEST_CARD} are the most. Give it a "
            "smaller card."
        )


def check_size(n_bytes):
    """Refuse more bytes of arrays than `load` takes."""
    if n_bytes > LARGEST_ARRAYS:
        raise ValueError(
            f"it has {n_bytes} bytes of weights, and {LARGEST_ARRAYS} are the most. Make its "
            "layers smaller, or take dtype='float16'"
        )


def check_place(path):
    """Return the absolute path of a model to be written; refuse one where no file can be.

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
    """Raise an OSError if no file can be made beside the path, or the one there not replaced."""
    try:
        make_temporary(path).unlink()
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}). Take another folder."
        ) from error
    if path.exists() and not _may_replace(path):
        raise PermissionError(f"{path} belongs to another user and cannot be replaced.")


def _may_replace(path):
    """Return whether a file can be replaced where others can be made: see the sticky bit."""
    folder, file = path.parent.stat(), path.stat()
    if not folder.st_mode & stat.S_ISVTX or not hasattr(os, "geteuid"):
        return True
    return os.geteuid() in (0, folder.st_uid, file.st_uid)
