"""Singing voice separation as scikit-learn estimators.

Data flow, and the modules that implement it::

    sksvs.audio.AudioFile           an audio file as a waveform, read when it is sliced
    sksvs.transforms.MonoDownmix        waveform -> mean of its channels
    sksvs.transforms.STFTTransformer    waveform -> Spectrogram, a lazy view
    sksvs.transforms.IRMTarget          optional: chooses the ideal mask of mask losses
    sksvs.estimators.GRUMaskSeparator   fits X and y; predict returns waveforms, score decibels
    sksvs.estimators.CRNSeparator           the same with convolutions around the GRU
    sksvs.metrics                       SDR, SIR and SAR; scorers for GridSearchCV
    sksvs.display                       pictures of a separation, and players to listen to it
    sksvs.save, sksvs.load              a fitted pipeline to a file without pickle, and back
    sksvs.pretrained                    a fitted pipeline that comes with the package
    sksvs.with_balance                  a fitted pipeline with a cleaner or a fuller voice
    sksvs.export_onnx                   the network of a fitted separator as an ONNX file
    sksvs.testing.check_separator       the laws of separators, for one of your own

`X` is a list of mixtures and `y` the list of their sources, one item a track, so everything in
`sklearn.model_selection` and the stock `sklearn.pipeline.Pipeline` work as they are.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what `__getattr__` imports, for type checkers and editors
    from sksvs.estimators.balance import with_balance as with_balance
    from sksvs.model_files import export_onnx as export_onnx
    from sksvs.model_files import load as load
    from sksvs.model_files import pretrained as pretrained
    from sksvs.model_files import pretrained_names as pretrained_names
    from sksvs.model_files import save as save

__version__ = "0.1.0"

_LAZY_EXPORTS = {
    "export_onnx": "sksvs.model_files.onnx_export",
    "load": "sksvs.model_files.model_file",
    "pretrained": "sksvs.model_files.packaged",
    "pretrained_names": "sksvs.model_files.packaged",
    "save": "sksvs.model_files.model_file",
    "with_balance": "sksvs.estimators.balance",
}
_SUBPACKAGES = (
    *("audio", "augmentation", "datasets", "display", "estimators", "masks", "metrics"),
    *("model_files", "separation", "stft", "testing", "training", "transforms"),
)


def __getattr__(name):
    """Import a name when it is first used, so that `import sksvs` itself imports nothing."""
    from importlib import import_module

    if name in _SUBPACKAGES:
        return import_module(f"sksvs.{name}")
    if name in _LAZY_EXPORTS:
        return getattr(import_module(_LAZY_EXPORTS[name]), name)
    raise AttributeError(f"module 'sksvs' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY_EXPORTS, *_SUBPACKAGES})
