"""Separators: fit, predict, score; and the baselines that bound them."""

from sksvs.estimators.balance import with_balance
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.baselines import IdealMaskOracle, MixtureBaseline
from sksvs.estimators.crn_separator import CRNSeparator
from sksvs.estimators.drnn_separator import DRNNSeparator
from sksvs.estimators.gru_mask_separator import GRUMaskSeparator
from sksvs.estimators.huang2014_networks import HUANG2014_NETWORKS, huang2014_network
from sksvs.estimators.report_networks import REPORT_NETWORKS, report_network
from sksvs.estimators.streaming_separator import StreamingSeparator
from sksvs.estimators.voting_separator import VotingSeparator

__all__ = [
    "HUANG2014_NETWORKS",
    "REPORT_NETWORKS",
    "BaseMaskSeparator",
    "CRNSeparator",
    "DRNNSeparator",
    "GRUMaskSeparator",
    "IdealMaskOracle",
    "MixtureBaseline",
    "StreamingSeparator",
    "VotingSeparator",
    "huang2014_network",
    "report_network",
    "with_balance",
]
