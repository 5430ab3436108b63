from __future__ import annotations

from tests.support.moto_cloud import cloud, moto_server
from tests.support.source_trees import source_tree

__all__ = ["cloud", "moto_server", "source_tree"]
