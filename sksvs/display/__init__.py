"""Show what separators do: pictures, players in notebooks, reports."""

from sksvs.display.evaluation_display import EvaluationDisplay
from sksvs.display.evaluation_report import write_evaluation_report
from sksvs.display.separation_display import SeparationDisplay
from sksvs.display.separation_report import SeparationReport, writing_report
from sksvs.display.training_display import TrainingDisplay

__all__ = [
    "EvaluationDisplay",
    "SeparationDisplay",
    "SeparationReport",
    "TrainingDisplay",
    "write_evaluation_report",
    "writing_report",
]
