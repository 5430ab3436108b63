"""What a run is about, and what every task of the platform has in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from nightjar.callbacks import notify_failure
from nightjar.instants import instant_text, parse_instant


def run_end(dag_run: Any, params: Mapping[str, Any]) -> str:
    """ISO 8601 UTC instant at which an ingest run ends.

    The Param ``until`` where a person gave one; a manual run's logical date, else the time it was triggered (Airflow would give
    it the interval before); the end of a scheduled or backfilled run's interval. Never the clock: a retry ends where the first
    try did.
    """
    if params.get("until"):
        return instant_text(parse_instant(params["until"]))
    end: datetime | None = dag_run.logical_date if dag_run.run_type == "manual" else dag_run.data_interval_end
    return instant_text(end or dag_run.run_after)


def default_args(owner: str, alerts_topic_arn: str) -> dict[str, Any]:
    """A DAG's ``default_args``: owner, two retries with a short exponential delay, a time limit, a message on failure."""
    return {
        "owner": owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(minutes=10),
        "on_failure_callback": notify_failure(alerts_topic_arn),
    }
