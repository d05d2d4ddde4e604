"""Settings and data that the tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.strategies import tiny_tracks
from tests.tiny_separators import (
    analysed,
    three_sources,
    tiny_crn,
    tiny_drnn,
    tiny_separator,
)

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


@pytest.fixture(scope="session")
def tracks():
    """Return ``(X, y)`` of three short songs."""
    return tiny_tracks(3)


@pytest.fixture(scope="session", params=["forwards", "both ways", "three sources", "DRNN", "CRN"])
def fitted(request, tracks):
    """Return a fitted separator of each kind, which tests must not change."""
    X, y = tracks
    if request.param == "DRNN":
        return tiny_drnn().fit(*analysed(X, y))
    if request.param == "CRN":
        return tiny_crn().fit(*analysed(X, y))
    if request.param == "three sources":
        return tiny_separator().fit(*analysed(X, three_sources(y)))
    return tiny_separator(bidirectional=request.param == "both ways").fit(*analysed(X, y))
