"""Settings and data that the tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("sksvs", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("sksvs")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _real(folder):
    path = REAL_DATA / folder
    if not path.is_dir():
        pytest.skip(f"no real recordings at {path}")
    return path


@pytest.fixture
def mir1k_root():
    """Return the folder of the real MIR-1K clips, or skip."""
    return _real("mir1k")


@pytest.fixture
def dsd100_root():
    """Return the folder of the five real DSD100 songs, or skip."""
    return _real("dsd100_mini")
