"""What a task has to say about its run: the listener writes it into the run's note, which the UI shows."""

from __future__ import annotations

from airflow.sdk import get_current_context

NOTE_KEY = "run_note"


def add_note(text: str) -> None:
    """Adds a text to the note of the current task's run, or replaces the one that this task added before.

    Outside a task, where a test calls its function, it does nothing.
    """
    try:
        context = get_current_context()
    except RuntimeError:
        return
    context["ti"].xcom_push(key=NOTE_KEY, value=text)
