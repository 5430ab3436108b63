"""What the DAGs and tasks have in common: references to other tasks, the waits of sensors, the DAGs' options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator, XComArg, get_parsing_context

from nightjar import priority
from nightjar.callbacks import notify_failed_run
from nightjar.failures import record_failure

PRIORITY = f"{priority.__name__}.{priority.RunTypeWeight.__qualname__}"  # the plugin registers it under this name

# So long a job's sensor stays in its worker before it defers. Most of a small day's jobs end sooner.
PATIENCE_SECONDS = 10.0


def parsed_subject(kind: str) -> str | None:
    """Returns the subject of the only DAG that is wanted of a DAG file; None where all of them are.

    A task's process executes the DAG file too, for one DAG of it: that of the task.

    Args:
        kind: The last part of the ids of the file's DAGs, ``<subject>_<kind>``.
    """
    dag_id = get_parsing_context().dag_id
    return dag_id.removesuffix(f"_{kind}") if dag_id else None


def output(task: BaseOperator, key: str = "return_value") -> Any:
    """Returns a reference to an XCom of a task, for an argument of another task.

    Airflow replaces it by the value as it is. A template may change the value: rendered as a native object, digits
    become a number.
    """
    return XComArg(task, key)


def pulled(task_id: str, *path: str, key: str = "return_value") -> str:
    """Returns the Jinja template for what a task returned, or for an entry of it.

    Args:
        task_id: The task.
        *path: Keys to the entry.
        key: Key of the XCom.
    """
    which = "" if key == "return_value" else f", key='{key}'"
    entries = "".join(f"['{name}']" for name in path)
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}'{which}){entries} }}}}"


def attempt_of(task_id: str) -> str:
    """Returns the Jinja template for the key under which a submit task's job runs: its submit key with the attempt."""
    return pulled(task_id, key="submit_key")


def waiting(poll_seconds: float, seconds: float) -> dict[str, Any]:
    """Returns a job sensor's arguments.

    Args:
        poll_seconds: Seconds between two calls.
        seconds: Longest wait.
    """
    return {
        "poll_seconds": poll_seconds,
        "patience_seconds": PATIENCE_SECONDS,
        "timeout": seconds,
        "execution_timeout": timedelta(seconds=seconds),
    }


def state_waiting(poll_seconds: float, deadline: timedelta, patience: float | None = None) -> dict[str, Any]:
    """Returns the arguments of a sensor of the state table.

    Airflow's own time limit is an hour later than the deadline, because the sensor's own error is more informative.

    Args:
        poll_seconds: Seconds between two looks while the task is deferred.
        deadline: How long to wait.
        patience: Seconds for which the sensor looks in its worker before it defers; None: its own default.
    """
    return {
        "poll_seconds": poll_seconds,
        "deadline_seconds": deadline.total_seconds(),
        "execution_timeout": deadline + timedelta(hours=1),
        **({} if patience is None else {"patience_seconds": patience}),
    }


def dag_options(kind: str, subject: str, owner: str, alerts_topic_arn: str, **defaults: Any) -> dict[str, Any]:
    """Returns the options of every DAG: tags, no catch-up, one message for a failed run, the tasks' defaults.

    Args:
        kind: What the DAG does, the last part of its id.
        subject: What the DAG works on, the first part of its id.
        owner: Owner of the tasks.
        alerts_topic_arn: SNS topic that gets failures.
        **defaults: More default arguments of the tasks.
    """
    return {
        "start_date": datetime(2013, 1, 1, tzinfo=UTC),
        "catchup": False,
        "on_failure_callback": notify_failed_run(alerts_topic_arn, subject),
        "tags": ["nightjar", kind, subject],
        "default_args": {**default_args(owner), **defaults},
    }


def default_args(owner: str) -> dict[str, Any]:
    """Returns a DAG's ``default_args``: owner, two retries after short delays, a time limit, a record of a failure."""
    return {
        "owner": owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(minutes=10),
        "weight_rule": PRIORITY,
        "on_failure_callback": record_failure,
    }
