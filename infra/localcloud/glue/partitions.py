"""GetPartitions with ``ExcludeColumnSchema``, which moto ignores: the columns of each partition are left out."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse


def get_partitions(self: GlueResponse) -> ActionResult:
    """Answers GetPartitions."""
    found = self.glue_backend.get_partitions(
        self.parameters["DatabaseName"],
        self.parameters["TableName"],
        self.parameters.get("Expression", ""),
    )
    described = [partition.as_dict() for partition in found]
    if self.parameters.get("ExcludeColumnSchema"):
        described = [_without_columns(one) for one in described]
    return ActionResult({"Partitions": described})


def _without_columns(described: dict[str, Any]) -> dict[str, Any]:
    storage = {name: value for name, value in described.get("StorageDescriptor", {}).items() if name != "Columns"}
    return {**described, "StorageDescriptor": storage}
