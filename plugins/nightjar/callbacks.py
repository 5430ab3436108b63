"""Who is told when a run has failed or was longer than its time limit: one message a run, with all that failed.

A task tells nobody: it may be retried, and others of its run may fail too. It records its reason (``failures.py``); the
run's callback, which Airflow calls in the DAG processor, publishes them together. A scheduled run that failed only
because another run did tells nobody: that run's message says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.providers.amazon.aws.hooks.sns import SnsHook

from nightjar.failures import FailedTask, failed_tasks
from nightjar.notes import add_note, is_triggered, run_period, was_reported
from nightjar.teardowns import NotEnded, describe_ends, tear_down

log = logging.getLogger(__name__)

SUBJECT_LIMIT = 100  # characters; SNS refuses a longer subject
TIMED_OUT = "timed_out"  # Airflow's reason for a run that was longer than dagrun_timeout
TASKS_SHOWN = 10
WARNING_LINES = 40
UNPUBLISHED = "A message could not be published to %s. Check the topic and the role's sns:Publish."
NEXT_STEP = (
    "Next: do what the reason says, then clear the failed tasks: the run goes on from there. "
    "Nobody is told again unless it fails again."
)


def notify_failed_run(topic_arn: str, subject: str) -> Callable[[Any], None]:
    """Returns a DAG's ``on_failure_callback``, which publishes :func:`describe_failed_run` to an SNS topic.

    At the DAG's ``dagrun_timeout`` Airflow skips every open task, the teardown task included. So the callback also
    does the work of the teardown tasks first: it stops the run's jobs, and ends a trial. The message says what it
    could not end. If there is any, the message is sent whoever has been told of the run, and then the callback raises
    an ``ExceptionGroup``, which Airflow counts (``dag.callback_exceptions``).

    Otherwise it never raises, because a topic that cannot be reached must not hide the failure that it would report.
    Of a backfill's failed runs only the first is published (``run_listener.py``), and none that a task has triggered;
    of the scheduler's, none that only another run's failure has caused.

    Args:
        topic_arn: The topic.
        subject: What the DAG works on.
    """

    def end(context: Any) -> None:
        not_ended = tear_down(context) if context.get("reason") == TIMED_OUT else []
        try:
            _tell(topic_arn, subject, context, not_ended)
        except Exception:
            log.exception(UNPUBLISHED, topic_arn)
        if not_ended:
            names = ", ".join(failed.task_id for failed in not_ended)
            raise ExceptionGroup(f"after the run's time limit, not ended: {names}", [one.error for one in not_ended])

    return end


def _tell(topic_arn: str, subject: str, context: Any, not_ended: Sequence[NotEnded]) -> None:
    run = context.get("dag_run")
    if was_reported(run) and not not_ended:
        return
    tasks = failed_tasks(context["ti"], context["dag"]) if "ti" in context else []
    if not_ended or not was_caused_by_another(run, tasks):
        publish(topic_arn, *describe_failed_run(context, subject, tasks, not_ended))


def publish_warnings(topic_arn: str, subject: str, lines: Sequence[str], dag_run: Any) -> bool:
    """Adds warnings to the run's note, and publishes them to an SNS topic; returns whether they were published.

    Like :func:`notify_failed_run`, it never raises, and publishes nothing in a backfill.

    Args:
        topic_arn: The topic.
        subject: The subject; cut to what SNS takes.
        lines: The warnings. Without any, nothing is published.
        dag_run: The run.
    """
    if not lines:
        return False
    more = len(lines) - WARNING_LINES
    shown = [*lines[:WARNING_LINES], *([f"and {more} more"] if more > 0 else [])]
    add_note("\n".join(shown))
    if getattr(dag_run, "run_type", None) == "backfill" or is_triggered(dag_run):
        return False
    try:
        publish(topic_arn, subject, "\n".join([f"Run:  {getattr(dag_run, 'run_id', 'unknown')}", "", *shown]))
    except Exception:
        log.exception(UNPUBLISHED, topic_arn)
        return False
    return True


def was_caused_by_another(run: Any, tasks: Sequence[FailedTask]) -> bool:
    """Whether a run of the scheduler failed only because other runs did, which are reported.

    A person who triggered or cleared the run gets its message: it answers what they did.
    """
    is_automatic = getattr(run, "run_type", None) == "scheduled" and not run.clear_number
    return is_automatic and bool(tasks) and all(task.is_reported for task in tasks)


def describe_failed_run(
    context: Any, subject: str, tasks: Sequence[FailedTask], not_ended: Sequence[NotEnded] = ()
) -> tuple[str, str]:
    """Returns subject and text of the message: what it works on, its period, each failed task, links, the next step.

    Args:
        context: What Airflow gives to the callback. If no task failed by itself, it has neither task instance nor run.
        subject: What the DAG works on.
        tasks: The tasks that failed by themselves.
        not_ended: The teardown tasks that could not do their work after the time limit.
    """
    dag, instance, run = context["dag"], context.get("ti"), context.get("dag_run")
    run_id = context.get("run_id") or getattr(run, "run_id", "unknown")
    if context.get("reason") == TIMED_OUT:
        title, last = f"{dag.dag_id} was longer than its time limit", describe_ends(dag.tasks, not_ended)
        open_task = f" {instance.task_id} was not finished." if instance else ""
        why = [f"The run was longer than its time limit, {dag.dagrun_timeout}.{open_task}"]
    else:
        title, last = f"{dag.dag_id} failed: {_names(tasks)}", [NEXT_STEP]
        why = [] if tasks else [f"No task of it failed by itself. Airflow's reason: {context.get('reason')}."]
    head = [
        f"Of:    {subject}",
        f"DAG:   {dag.dag_id}",
        f"Run:   {run_id}",
        f"For:   {(run_period(run) if run else '') or 'see the run'}",
        f"Link:  {run_url(dag.dag_id, run_id)}",
    ]
    parts = ["\n".join(head), *why, *map(_described, tasks[:TASKS_SHOWN])]
    if len(tasks) > TASKS_SHOWN:
        parts.append(f"and {len(tasks) - TASKS_SHOWN} more")
    return f"Nightjar: {title}", "\n\n".join([*parts, *last])


def _names(tasks: Sequence[FailedTask]) -> str:
    return tasks[0].name if len(tasks) == 1 else f"{len(tasks)} tasks" if tasks else "no task"


def _described(task: FailedTask) -> str:
    log_line = [f"Log:   {task.log_url}"] if task.log_url else []
    return "\n".join([f"Task:  {task.name}", *log_line, task.reason])


def run_url(dag_id: str, run_id: str) -> str:
    """Returns the address of a run's page in Airflow's UI."""
    base: str = conf.get("api", "base_url", fallback="")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def publish(topic_arn: str, subject: str, message: str) -> None:
    """Publishes a message to an SNS topic."""
    SnsHook(aws_conn_id=None).publish_to_target(target_arn=topic_arn, message=message, subject=subject[:SUBJECT_LIMIT])
