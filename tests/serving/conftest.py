"""Fixtures of the service's tests."""

from __future__ import annotations

from tests.support.moto_cloud import cloud, moto_server
from tests.support.service import service, start

__all__ = ["cloud", "moto_server", "service", "start"]
