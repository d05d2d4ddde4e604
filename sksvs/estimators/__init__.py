"""Separators: fit, predict, score; and the baselines that bound them."""

from sksvs.estimators._baselines import IdealMaskOracle, MixtureBaseline
from sksvs.estimators._crn_separator import CRNSeparator
from sksvs.estimators._drnn_separator import DRNNSeparator
from sksvs.estimators._gru_mask_separator import GRUMaskSeparator
from sksvs.estimators._huang2014_networks import HUANG2014_NETWORKS, huang2014_network
from sksvs.estimators._report_networks import REPORT_NETWORKS, report_network
from sksvs.estimators._streaming_separator import StreamingSeparator
from sksvs.estimators._voting_separator import VotingSeparator

__all__ = [
    "HUANG2014_NETWORKS",
    "REPORT_NETWORKS",
    "CRNSeparator",
    "DRNNSeparator",
    "GRUMaskSeparator",
    "IdealMaskOracle",
    "MixtureBaseline",
    "StreamingSeparator",
    "VotingSeparator",
    "huang2014_network",
    "report_network",
]
