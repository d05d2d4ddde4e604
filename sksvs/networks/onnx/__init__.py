"""The execution of a network that predicts: an ONNX graph, run by ONNX Runtime."""

from sksvs.networks.onnx.build import build_model
from sksvs.networks.onnx.session import Network

__all__ = ["Network", "build_model"]
