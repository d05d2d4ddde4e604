"""How good a separation is: BSS Eval, protocols that compare tracks, scorers for searches."""

from sksvs.metrics._bss_eval import (
    ImageScores,
    SourceScores,
    bss_eval_images,
    bss_eval_sources,
    nsdr,
)
from sksvs.metrics._decomposition import Variant
from sksvs.metrics._evaluate import Evaluation, evaluate
from sksvs.metrics._protocols import PROTOCOLS, Protocol
from sksvs.metrics._score import SeparationScore, TrackScore, score_tracks
from sksvs.metrics._scorers import bss_eval_scorer, sar_scorer, sdr_scorer, sir_scorer
from sksvs.metrics._si_sdr import si_sdr

__all__ = [
    "PROTOCOLS",
    "Evaluation",
    "ImageScores",
    "Protocol",
    "SeparationScore",
    "SourceScores",
    "TrackScore",
    "Variant",
    "bss_eval_images",
    "bss_eval_scorer",
    "bss_eval_sources",
    "evaluate",
    "nsdr",
    "sar_scorer",
    "score_tracks",
    "sdr_scorer",
    "si_sdr",
    "sir_scorer",
]
