"""Airflow's listener of DAG runs: it writes their notes, and a run that a person marks as failed ends failed.

**Notes.** The UI calls a run by the moment at which it may start. So a run's note begins as its data interval or its
Params, and ends as the sentences that its tasks have added (``nightjar.notes``), with the reason of each failed task.
A note that a person wrote is left alone.

**Marked as failed.** Airflow keeps such a run running while a teardown task is open, and skips every other open task.
When the teardown task has ended, Airflow decides the run's state by the tasks at its end. They were skipped, so the run
ended *successful* (Airflow 3.3.1). The listener, which the API server calls, sets them to *upstream failed* instead.

**Triggered runs.** A run that ends as failed ends those that it has triggered (``stopped_runs.py``).

**Backfills.** The first failed run of a backfill is reported. The notes of the others tell the callback not to
(``nightjar.notes.was_reported``): a backfill of a year must not send hundreds of messages.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from airflow.models.xcom import XComModel
from airflow.utils.state import DagRunState, State, TaskInstanceState
from sqlalchemy import select
from sqlalchemy.orm import object_session

from nightjar.failures import FAILURE_KEY
from nightjar.notes import NOTE_KEY, REPORTED, run_period
from nightjar.stopped_runs import stop_triggered_runs

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

TAG = "nightjar"  # of the DAGs whose runs get notes
NOTE_LENGTH = 1000  # Airflow's limit


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:
    """Notes the run's Params or its data interval."""
    if TAG not in {tag.name for tag in dag_run.dag_model.tags}:
        return
    if period := run_period(dag_run):
        write_note(dag_run, period)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    """Notes what the tasks have added."""
    note_of_tasks(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """Makes the run end failed, if Airflow has not set it to failed because a teardown task is still open."""
    session = object_session(dag_run)
    if session is not None and dag_run.dag is not None:
        stop_triggered_runs(dag_run, session)
    if session is None or dag_run.state in State.finished_dr_states:
        note_of_tasks(dag_run, *([REPORTED] if session and is_reported_backfill(dag_run, session) else []))
        return
    deciding = last_tasks(dag_run.dag)
    for instance in dag_run.get_task_instances(session=session):
        if instance.task_id in deciding and instance.state not in State.failed_states:
            instance.set_state(TaskInstanceState.UPSTREAM_FAILED, session=session)
    log.info("%s was marked as failed: it ends failed after its teardown tasks", dag_run)


def last_tasks(dag: Any) -> set[str]:
    """Returns the ids of the tasks by which Airflow decides how a run ended: only teardown tasks follow them."""
    return {
        task.task_id
        for task in dag.tasks
        if not task.is_teardown and all(dag.task_dict[after].is_teardown for after in task.downstream_task_ids)
    }


def is_reported_backfill(dag_run: DagRun, session: Session) -> bool:
    """Whether another run of the same backfill has failed before, and was reported."""
    if dag_run.backfill_id is None:
        return False
    others = select(type(dag_run).id).where(
        type(dag_run).backfill_id == dag_run.backfill_id,
        type(dag_run).state == DagRunState.FAILED,
        type(dag_run).id != dag_run.id,
    )
    return session.scalar(others.limit(1)) is not None


def note_of_tasks(dag_run: DagRun, *first: str) -> None:
    """Writes into the run's note the given texts, what its tasks have added, and which of them failed."""
    session = object_session(dag_run)
    if session is None:
        return
    texts = {task: str(text) for task, text in _pushed(dag_run, session, NOTE_KEY).items()}
    failures = _pushed(dag_run, session, FAILURE_KEY)
    for instance in dag_run.get_task_instances(session=session, state=[TaskInstanceState.FAILED]):
        task = (instance.task_id, instance.map_index)
        reason = texts.get(task) or failures.get(task, {}).get("reason") or "see its log"
        texts[task] = f"{instance.task_id} failed: {reason}"
    lines = [*dict.fromkeys([*first, *texts.values()])]
    if lines:
        write_note(dag_run, "\n".join(shortened(lines, NOTE_LENGTH)))


def _pushed(dag_run: DagRun, session: Session, key: str) -> dict[tuple[str, int], Any]:
    """Task and map index → what it pushed under a key, in order of time."""
    query = XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag_run.dag_id, key=key)
    found = session.scalars(query.order_by(None).order_by(XComModel.timestamp))
    return {(entry.task_id, entry.map_index): XComModel.deserialize_value(entry) for entry in found}


def shortened(lines: Sequence[str], length: int) -> list[str]:
    """Cuts the longest lines until all of them fit, so that a long one does not hide the outcome after it."""
    limit = length
    while sum(min(len(line), limit) + 1 for line in lines) > length:
        limit -= 1
    return [line if len(line) <= limit else f"{line[: max(limit - 1, 0)]}…" for line in lines]


def write_note(dag_run: DagRun, text: str) -> None:
    """Writes a run's note, unless a person wrote it.

    The caller's transaction commits it: the scheduler, which locks the run, forbids any other, and savepoints too.
    """
    note = dag_run.dag_run_note
    if note is None or note.user_id is None:
        dag_run.note = text[:NOTE_LENGTH]
