"""The kinds of Params that the DAGs have."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param


def date_param(description: str) -> Param:
    """Returns a Param for a day; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date", description=description)


def instant_param(description: str) -> Param:
    """Returns a Param for an ISO 8601 instant; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date-time", description=description)


def object_param(description: str, properties: dict[str, Any]) -> Param:
    """Returns a Param for a JSON object with exactly these properties (JSON Schema); empty unless a person sets it."""
    schema: dict[str, Any] = {"properties": properties, "required": [*properties], "additionalProperties": False}
    return Param(None, type=["null", "object"], description=description, **schema)


def flag_param(description: str) -> Param:
    """Returns a boolean Param; false unless a person sets it."""
    return Param(False, type="boolean", description=description)
