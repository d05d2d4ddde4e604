"""Run the graph of a mask network with ONNX Runtime."""

import os

import numpy as np
import onnxruntime

from sksvs.networks.onnx.build import build_model
from sksvs.networks.onnx.graph import FEATURES, OUTPUT
from sksvs.networks.spec import is_causal, lookahead

PROVIDERS = "SKSVS_ONNX_PROVIDERS"  # environment variable


class Network:
    """A network that runs on ONNX Runtime.

    Parameters
    ----------
    layers, weights, mean, scale
        As of :func:`build_model`.

    Attributes
    ----------
    is_causal : bool
        Whether it carries a state.
    lookahead : int
        Frames on either side of a frame in the context window of a causal network: its output has
        twice as many frames fewer than its input.
    beyond : array of float32, shape (n_freqs,)
        Input in place of frames before the first and after the last.
    """

    def __init__(self, layers, weights, mean, scale):
        self.is_causal, self.lookahead = is_causal(layers), lookahead(layers)
        self.beyond = mean
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # windows share the cores
        options.log_severity_level = 3  # errors alone
        model = build_model(layers, weights, mean, scale).SerializeToString()
        self._session = onnxruntime.InferenceSession(model, options, execution_providers())
        states = [tensor for tensor in self._session.get_inputs() if tensor.name != FEATURES]
        self._states = {tensor.name: tensor.shape[2] for tensor in states}
        self._outputs = [OUTPUT, *(f"next_{name}" for name in self._states)]

    def initial_state(self):
        """Return the state before the first frame; an empty list if the network has none."""
        return [np.zeros((1, 1, units), np.float32) for units in self._states.values()]

    def run(self, features, state=()):
        """Return the output for the next frames, and the state after them.

        Parameters
        ----------
        features : array of float32, shape (n_frames, n_freqs)
            Before they are standardised.
        state : list of array
            As `initial_state` or the last call gave it.

        Returns
        -------
        output : array of float32, shape (n_frames - 2 * lookahead, n_outputs)
        state : list of array
        """
        inputs = {FEATURES: np.ascontiguousarray(features[np.newaxis], np.float32)}
        output, *state = self._session.run(self._outputs, inputs | dict(zip(self._states, state)))
        return output[0], state


def execution_providers():
    """Return the execution providers of ONNX Runtime, the preferred one first.

    The CPU, unless SKSVS_ONNX_PROVIDERS names others that are installed, separated by commas, such
    as "CUDAExecutionProvider". The CPU is always the last.
    """
    wanted = os.environ.get(PROVIDERS, "").replace(" ", "").split(",")
    available = onnxruntime.get_available_providers()
    unknown = [name for name in wanted if name and name not in available]
    if unknown:
        raise ValueError(
            f"{PROVIDERS} names {unknown[0]}, which this ONNX Runtime does not have. It has "
            f"{', '.join(available)}."
        )
    return [name for name in wanted if name] + ["CPUExecutionProvider"]
