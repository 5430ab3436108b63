"""Fixtures of the process pipeline's tests."""

from tests.support.moto_cloud import cloud, moto_server

__all__ = ["cloud", "moto_server"]
