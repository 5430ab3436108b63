"""Ends a deploy from outside its run: a person goes back, or the run is gone.

A run that fails gives its intent up itself (``restore``). A run that was marked as failed, was longer than its time
limit, lost its worker or was deleted does not: its intent would stay open for ever. The record then says why.
"""

from __future__ import annotations

from collections.abc import Collection

from include.errors import ConflictError, NightjarError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.live import OPEN, LivePointer, abandoned, given_up
from include.pipelines.protocols import StateStore
from include.pipelines.run_states import AT_WORK, RunState, how_ended


class DeployEndedError(NightjarError):
    """The run's deploy was ended from outside. No refusal: a skipped task would leave the service as it is."""


def check_not_ended(pointer: LivePointer, run_id: str) -> None:
    """Checks that a run that begins a deploy, perhaps again, does not undo its end.

    Raises:
        DeployEndedError: It would.
    """
    intent = pointer["intent"]
    if intent and intent["run_id"] == run_id and "ended" in intent:
        raise DeployEndedError(f"{given_up(intent)} To deploy it, trigger a new run.")


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

    The service is left as it is: only a deploy run changes it, and the next one puts it in order. The text says so.

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
        ended = live_log.append(workload, abandoned(pointer, why), state)
    except ConflictError:  # it went live, or gave up, between the two looks
        return []
    return [unfinished(workload, ended)]


def unfinished(workload: str, pointer: LivePointer, running: Collection[str] = (), stands_still: str = "") -> str:
    """Says what a person should know of a deploy that did not end by itself, and what to do; empty if it did.

    Args:
        workload: The workload.
        pointer: What is live.
        running: Ids of the deploy runs that have not ended.
        stands_still: Why no deploy run takes a step, and what to do; empty if they do.
    """
    intent = pointer["intent"]
    if intent is None or ("ended" not in intent and (intent["status"] != OPEN or intent["run_id"] in running)):
        return ""
    if "ended" not in intent:
        version, run_id = intent["version"], intent["run_id"]
        told = f"The deploy of version {version} was not finished: its run {run_id} has ended."
    elif intent.get("restored"):
        return given_up(intent)
    else:
        told = given_up(intent)
    if intent["run_id"] in running:
        return f"{told} {goes_back(pointer, stands_still)}"
    return f"{told} The service may run that version, unverified, until the next deploy: {_by_hand(workload, pointer)}"


def goes_back(pointer: LivePointer, stands_still: str) -> str:
    """Says when the run of a deploy that was ended goes back to the live version.

    Raises:
        ValueError: No deploy was begun.
    """
    intent = pointer["intent"]
    if intent is None:
        raise ValueError("no deploy was begun")
    if stands_still:
        return f"But nothing goes back yet, and version {intent['version']} may get requests until then. {stands_still}"
    return f"Run {intent['run_id']} goes back to version {pointer['version']} at its next step."


def _by_hand(workload: str, pointer: LivePointer) -> str:
    """What a person does, hold or freeze or not: a repair waits for no canary."""
    if pointer["version"] is None:
        return f"trigger {workload}_deploy with the number of an approved version."
    return f'trigger {workload}_deploy with version "repair" and a reason to bring version {pointer["version"]} back.'
