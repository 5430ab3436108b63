"""Only the run with the newest intent changes the service: an older run that is cleared or revived does nothing."""

from __future__ import annotations

from include.pipelines.deploy import live_log
from include.pipelines.deploy.live import ABANDONED, Intent, LivePointer, given_up
from include.pipelines.deploy.resolve import SupersededError
from include.pipelines.protocols import StateStore


def own_intent(workload: str, state: StateStore, *, run_id: str) -> tuple[LivePointer, Intent]:
    """Returns the state and this run's intent, which is the newest one.

    Raises:
        SupersededError: The newest intent is another run's, or this run's was abandoned.
    """
    pointer = live_log.newest_entry(workload, state)
    intent = pointer["intent"]
    if intent is None or intent["run_id"] != run_id:
        newest = f"deploy {intent['run_id']} of version {intent['version']}" if intent else "none"
        raise SupersededError(f"The newest deploy is not this run but {newest}, so this run does nothing.")
    if "ended" in intent:
        raise SupersededError(f"{given_up(intent)} To deploy it, trigger a new run.")
    if intent["status"] == ABANDONED:
        raise SupersededError(
            f"This run gave up version {intent['version']} and restored the service. To try again, trigger a new run, "
            "or clear the task resolve with the tasks after it."
        )
    return pointer, intent
