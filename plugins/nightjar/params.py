"""The kinds of Params that the DAGs have."""

from __future__ import annotations

from airflow.sdk import Param


def date_param(description: str) -> Param:
    """A day, or nothing."""
    return Param(None, type=["null", "string"], format="date", description=description)


def instant_param(description: str) -> Param:
    """An ISO 8601 instant, or nothing."""
    return Param(None, type=["null", "string"], format="date-time", description=description)


def flag_param(description: str) -> Param:
    """Yes or no; no unless a person says so."""
    return Param(False, type="boolean", description=description)
