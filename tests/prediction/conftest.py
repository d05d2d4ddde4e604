"""Fitted separators and their tracks, as the tests of estimators have them."""

from tests.estimators.conftest import fitted, tracks

__all__ = ["fitted", "tracks"]
