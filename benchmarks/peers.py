"""Import the parts of other packages that tests and benchmarks compare with."""

import importlib.util
from pathlib import Path


def museval_metrics():
    """Return `museval.metrics`, loaded alone; None if museval is not installed.

    ``import museval`` also imports musdb and stempeg, which refuse to start without ffmpeg.
    """
    package = importlib.util.find_spec("museval")
    if package is None:
        return None
    path = Path(package.submodule_search_locations[0]) / "metrics.py"
    spec = importlib.util.spec_from_file_location("museval_metrics", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
