"""The laws of separators, to check anybody's: estimators, and pipelines that end in one."""

from sksvs.testing.checks import CHECKS, check_separator, parametrize_with_checks

__all__ = ["CHECKS", "check_separator", "parametrize_with_checks"]
