"""What happens when a task has failed for good, or a run was longer than its time limit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.sns import SnsHook

from nightjar.jobs.stop import stop_jobs_of
from nightjar.notes import add_note

log = logging.getLogger(__name__)

SUBJECT_LIMIT = 100  # characters; SNS refuses a longer subject
EXCEPTION_LINES = 15
TIMED_OUT = "timed_out"  # Airflow's reason for a run that was longer than dagrun_timeout
WARNING_LINES = 40


def notify_failure(topic_arn: str) -> Callable[[Any], None]:
    """Returns an ``on_failure_callback`` that publishes :func:`describe_failure` to an SNS topic.

    The callback never raises, because a topic that cannot be reached must not hide the failure that it would report. It
    does nothing for an exception that says that somebody is notified already (``is_notified``), such as
    :class:`nightjar.triggered_runs.TriggeredRunFailedError`.
    """

    def publish(context: Any) -> None:
        if getattr(context.get("exception"), "is_notified", False):
            return
        try:
            subject, message = describe_failure(context)
            SnsHook(aws_conn_id=None).publish_to_target(target_arn=topic_arn, message=message, subject=subject)
        except Exception:
            log.exception(
                "The failure could not be published to %s. Check the topic and the role's sns:Publish.", topic_arn
            )

    return publish


def end_run_over_time(topic_arn: str) -> Callable[[Any], None]:
    """Returns a DAG's ``on_failure_callback`` for a run that was longer than the DAG's ``dagrun_timeout``.

    Airflow then skips every open task, the teardown task included. So the callback stops the run's jobs, and publishes
    the failure, which no task's callback does. It does nothing for a run that failed in another way.
    """
    notify = notify_failure(topic_arn)

    def end(context: Any) -> None:
        if context.get("reason") != TIMED_OUT:
            return
        notify({**context, "reason": f"the run was longer than its time limit, {context['dag'].dagrun_timeout}"})
        stop_jobs_of(context)

    return end


def publish_warnings(topic_arn: str, subject: str, lines: Sequence[str], dag_run: Any) -> None:
    """Adds warnings to the run's note, and publishes them to an SNS topic.

    Like :func:`notify_failure`, it never raises, and publishes nothing in a backfill.

    Args:
        topic_arn: The topic.
        subject: The subject; cut to what SNS takes.
        lines: The warnings. Without any, nothing is published.
        dag_run: The run.
    """
    if not lines:
        return
    more = len(lines) - WARNING_LINES
    shown = [*lines[:WARNING_LINES], *([f"and {more} more"] if more > 0 else [])]
    add_note("\n".join(shown))
    if getattr(dag_run, "run_type", None) == "backfill":
        return
    message = "\n".join([f"Run:  {getattr(dag_run, 'run_id', 'unknown')}", "", *shown])
    try:
        SnsHook(aws_conn_id=None).publish_to_target(
            target_arn=topic_arn, message=message, subject=subject[:SUBJECT_LIMIT]
        )
    except Exception:
        log.exception(
            "The warnings could not be published to %s. Check the topic and the role's sns:Publish.", topic_arn
        )


def describe_failure(context: Any) -> tuple[str, str]:
    """Returns subject and text of the message: DAG, task, run, try, log URL, the first lines of the exception.

    Any part of the context may be missing.
    """
    instance = context.get("ti") or context.get("task_instance")
    dag_id = getattr(instance, "dag_id", "unknown DAG")
    task_id = getattr(instance, "task_id", "unknown task")
    map_index = getattr(instance, "map_index", -1)
    name = f"{dag_id}.{task_id}" + (f"[{map_index}]" if isinstance(map_index, int) and map_index >= 0 else "")
    error = context.get("exception")
    kind = f"{type(error).__name__}: " if isinstance(error, BaseException) else ""
    text = f"{kind}{error or context.get('reason') or 'no exception given'}"
    reason = [line for line in text.splitlines() if line.strip()]
    message = "\n".join(
        [
            f"DAG:  {dag_id}",
            f"Task: {name}",
            f"Run:  {getattr(instance, 'run_id', context.get('run_id', 'unknown'))}",
            f"Try:  {getattr(instance, 'try_number', 'unknown')}",
            f"Log:  {getattr(instance, 'log_url', 'unknown')}",
            "",
            *reason[:EXCEPTION_LINES],
        ]
    )
    return f"Nightjar: {name} failed"[:SUBJECT_LIMIT], message
