"""How good a separation is: BSS Eval, the score of many tracks, scorers for searches."""

from sksvs.metrics._bss_eval import SourceScores, bss_eval, nsdr
from sksvs.metrics._score import SeparationScore, TrackScore, score_tracks
from sksvs.metrics._scorers import bss_eval_scorer, sar_scorer, sdr_scorer, sir_scorer

__all__ = [
    "SeparationScore",
    "SourceScores",
    "TrackScore",
    "bss_eval",
    "bss_eval_scorer",
    "nsdr",
    "sar_scorer",
    "score_tracks",
    "sdr_scorer",
    "sir_scorer",
]
