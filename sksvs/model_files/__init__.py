"""Fitted pipelines as files: save and load them, export networks, the packaged models."""

from sksvs.model_files.model_file import ModelFileError, load, save
from sksvs.model_files.onnx_export import export_onnx
from sksvs.model_files.packaged import pretrained, pretrained_names
from sksvs.model_files.savable import check_card, check_savable

__all__ = [
    "ModelFileError",
    "check_card",
    "check_savable",
    "export_onnx",
    "load",
    "pretrained",
    "pretrained_names",
    "save",
]
