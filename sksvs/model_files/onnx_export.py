"""Write the network of a separator to an ONNX file, for other programs."""

import json
import os
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import sksvs
from sksvs.estimators.network_separator import BaseNetworkSeparator
from sksvs.networks.onnx import build_model
from sksvs.system.atomic import replacing
from sksvs.typing import PathLike

# Texts in the files; programs may compare them, so they stay as they are.
ONE_MASK = "clip to 0..1: the mask of source 0; source 1 has what it leaves of 1"
JOINT_MASKS = "absolute values, source after source, divided by their sum over the sources"


def export_onnx(separator: BaseEstimator, path: PathLike) -> None:
    """Write the network of a fitted separator to an ONNX file.

    `predict` runs the same graph. Its input "features", (batch, n_frames, n_freqs), is
    ``(|X| / level) ** input_power``, where X is the STFT of the downmix without its mean and
    `level` the RMS of that downmix over the whole track. The metadata "masks" describe how its
    "output", (batch, n_frames, n_outputs), becomes masks. A causal network takes the states
    "state_0", … and returns "next_state_0", …; before the first frame they are zeros of shape
    (1, batch, units). Run a bidirectional network on windows of 512 frames (786,432 bins at
    most) with up to 64 frames of context on either side.

    The metadata, all text, are "n_fft", "hop_length", "window" (as JSON), "sample_rate" (empty if
    it is not known), "n_sources", "source_names" (as JSON), "input_power", "others_weight",
    "side_weight", "masks" and "sksvs_version".

    Parameters
    ----------
    separator : Pipeline, search or separator with a network
        Fitted. The networks of a VotingSeparator are exported one by one:
        ``export_onnx(separator[-1].named_estimators_["gru"], path)``.
    path : str or path-like
        The usual ending is ".onnx".

    Raises
    ------
    TypeError
        If the separator has no network, or several.
    NotFittedError
        Before `fit`.
    OSError
        If the file cannot be written; what was there stays.

    Examples
    --------
    >>> sksvs.export_onnx(separator, "voice.onnx")                 # doctest: +SKIP
    """
    separator = getattr(separator, "best_estimator_", separator)
    last = separator[-1] if isinstance(separator, Pipeline) else separator
    if not isinstance(last, BaseNetworkSeparator):
        names = ", ".join(map(repr, getattr(last, "named_estimators_", ())))
        remedy = f" Export its named_estimators_ ({names}) one at a time." if names else ""
        raise TypeError(
            "Only a separator with one network, or a Pipeline that ends in one, can be exported; "
            f"got {type(last).__name__}.{remedy}"
        )
    check_is_fitted(last, "n_sources_")
    params = last.stft_params_
    has_one_mask = last.layers_[-1].units == params.n_freqs
    metadata = {
        "n_fft": params.n_fft,
        "hop_length": params.hop_length,
        "window": json.dumps(params.window),
        "sample_rate": params.sample_rate or "",
        "n_sources": last.n_sources_,
        "source_names": json.dumps(last.source_names_),
        "input_power": last.input_power_,
        "others_weight": last.others_weight,
        "side_weight": last.side_weight,
        "masks": ONE_MASK if has_one_mask else JOINT_MASKS,
        "sksvs_version": sksvs.__version__,
    }
    texts = {key: str(value) for key, value in metadata.items()}
    model = build_model(last.layers_, last.weights_, last.input_mean_, last.input_scale_, texts)
    with replacing(Path(os.path.abspath(path))) as temporary:
        temporary.write_bytes(model.SerializeToString())
