"""Ends a deploy from outside its run: a person goes back, or the run is gone.

A run that fails gives its intent up itself (``restore``). A run that was marked as failed, was longer than its time
limit, lost its worker or was deleted does not: its intent would stay open for ever. The record then says why.
"""

from __future__ import annotations

from include.errors import ConflictError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.live import OPEN, LivePointer, abandoned
from include.pipelines.protocols import StateStore
from include.pipelines.run_states import AT_WORK, RunState, how_ended


def end_by_person(workload: str, pointer: LivePointer, by: str, reason: str, state: StateStore) -> LivePointer:
    """Ends the open deploy, and sets a hold. Its run fails at its next step, and goes back to the live version.

    Args:
        workload: The workload.
        pointer: What is live, with the open intent.
        by: Who goes back.
        reason: Why.
        state: The state table.

    Raises:
        ConflictError: The run has changed what is live meanwhile.
    """
    ended = abandoned(pointer, f"rolled back by {by}: {reason}")
    return live_log.append(workload, {**ended, "hold": True}, state)


def end_without_run(workload: str, run_state: RunState, state: StateStore) -> list[str]:
    """Ends the open deploy if its run is not at work any more.

    The service is left as it is: only a deploy run changes it, and the next one puts it in order.

    Returns:
        What a person should know; nothing where nothing was to be done.
    """
    try:
        pointer = live_log.newest_entry(workload, state)
    except live_log.LiveStateError as error:
        return [str(error)]
    intent = pointer["intent"]
    if intent is None or intent["status"] != OPEN:
        return []
    dag_id = f"{workload}_deploy"
    found = run_state(dag_id, intent["run_id"])
    if found in AT_WORK:
        return []
    why = how_ended(dag_id, intent["run_id"], found)
    try:
        live_log.append(workload, abandoned(pointer, why), state)
    except ConflictError:  # it went live, or gave up, between the two looks
        return []
    return [f"The deploy of version {intent['version']} was given up: {why}."]
