from __future__ import annotations

from tests.support.fake_programs import programs
from tests.support.moto_cloud import cloud, moto_server

__all__ = ["cloud", "moto_server", "programs"]
