"""The kinds of Params that the DAGs have."""

from __future__ import annotations

from airflow.sdk import Param


def date_param(description: str) -> Param:
    """Returns a Param for a day; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date", description=description)


def instant_param(description: str) -> Param:
    """Returns a Param for an ISO 8601 instant; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date-time", description=description)


def flag_param(description: str) -> Param:
    """Returns a boolean Param; false unless a person sets it."""
    return Param(False, type="boolean", description=description)
