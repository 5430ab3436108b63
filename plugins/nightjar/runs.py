"""What a run is about, and what the DAGs and tasks of the platform have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nightjar.callbacks import notify_failure


def pulled(task_id: str, *path: str) -> str:
    """Jinja for what a task returned, or an entry of it."""
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}'){''.join(f"['{name}']" for name in path)} }}}}"


def attempt_of(task_id: str) -> str:
    """Jinja for the key under which a submit task's job runs: its submit key with the attempt."""
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}', key='submit_key') }}}}"


def waiting(poll_seconds: float, seconds: float) -> dict[str, Any]:
    """A sensor's arguments: how often it looks, and how long it waits at most."""
    return {"poll_seconds": poll_seconds, "timeout": seconds, "execution_timeout": timedelta(seconds=seconds)}


def state_waiting(poll_seconds: float, deadline: timedelta) -> dict[str, Any]:
    """Arguments of a sensor of the state table. Airflow's own limit lies an hour behind the deadline, whose text says more."""
    return {
        "poll_seconds": poll_seconds,
        "deadline_seconds": deadline.total_seconds(),
        "execution_timeout": deadline + timedelta(hours=1),
    }


def dag_options(kind: str, workload: str, owner: str, alerts_topic_arn: str, **defaults: Any) -> dict[str, Any]:
    """What every DAG is made with: tags of its kind and workload, no catch-up, the tasks' defaults and ``defaults`` on top."""
    return {
        "start_date": datetime(2013, 1, 1, tzinfo=UTC),
        "catchup": False,
        "tags": ["nightjar", kind, workload],
        "default_args": {**default_args(owner, alerts_topic_arn), **defaults},
    }


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
