"""What a task says about its run, in sentences: the listener writes them into the run's note, which the UI shows."""

from __future__ import annotations

from collections.abc import Callable

from airflow.sdk import get_current_context

NOTE_KEY = "run_note"
FAILURE_KEY = "failure"
"""XCom in which a task that fails keeps why; it is noted too."""


def add_note(text: str) -> None:
    """Adds a text to the note of the current task's run, or replaces the one that this task added before.

    Outside a task, where a test calls its function, it does nothing.
    """
    try:
        context = get_current_context()
    except RuntimeError:
        return
    context["ti"].xcom_push(key=NOTE_KEY, value=text)


def noted[ResultT](result: ResultT, describe: Callable[[ResultT], str]) -> ResultT:
    """Returns a task's result as it is, after adding to the run's note what it means to a person.

    Args:
        result: What the task returns.
        describe: Returns the text for a result; an empty one adds nothing.
    """
    if text := describe(result):
        add_note(text)
    return result
