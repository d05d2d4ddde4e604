"""Separators: fit, predict, score; and the baselines that bound them."""

from sksvs.estimators._baselines import IdealMaskOracle, MixtureBaseline
from sksvs.estimators._gru_mask_separator import GRUMaskSeparator
from sksvs.estimators._report_networks import REPORT_NETWORKS, report_network

__all__ = [
    "REPORT_NETWORKS",
    "GRUMaskSeparator",
    "IdealMaskOracle",
    "MixtureBaseline",
    "report_network",
]
