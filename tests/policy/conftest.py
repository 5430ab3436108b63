"""Fixtures of the policy tests."""

from tests.support.build_stamps import build_stamp

__all__ = ["build_stamp"]
