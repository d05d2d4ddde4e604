"""Score separated sources: BSS Eval, published protocols, scorers for searches."""

from sksvs.metrics.bss_eval.bss_eval import (
    ImageScores,
    SourceScores,
    bss_eval_images,
    bss_eval_sources,
    nsdr,
)
from sksvs.metrics.bss_eval.decomposition import Variant
from sksvs.metrics.energy_ratio import usdr
from sksvs.metrics.evaluate_tracks import evaluate
from sksvs.metrics.evaluation import Evaluation
from sksvs.metrics.protocols import PROTOCOLS, Protocol
from sksvs.metrics.scale_invariant import si_sdr
from sksvs.metrics.scorers import bss_eval_scorer, sar_scorer, sdr_scorer, sir_scorer
from sksvs.metrics.scores import SeparationScore, TrackScore, score_tracks
from sksvs.metrics.weighted_error import log_wmse

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
    "log_wmse",
    "nsdr",
    "sar_scorer",
    "score_tracks",
    "sdr_scorer",
    "si_sdr",
    "sir_scorer",
    "usdr",
]
