"""Separators: fit, predict, score; and the baselines that bound them."""

from sksvs.estimators._baselines import IdealMaskOracle, MixtureBaseline
from sksvs.estimators._gru_mask_separator import GRUMaskSeparator
from sksvs.estimators._report_networks import REPORT_NETWORKS, report_network
from sksvs.estimators._streaming_separator import StreamingSeparator

__all__ = [
    "REPORT_NETWORKS",
    "GRUMaskSeparator",
    "IdealMaskOracle",
    "MixtureBaseline",
    "StreamingSeparator",
    "report_network",
]
