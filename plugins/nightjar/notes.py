"""What is noted of a run: its period, what its tasks say about it in sentences, and whether its failure was reported.

The listener (``run_listener.py``) writes the run's note, which the UI shows and Airflow gives to the run's callbacks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import get_current_context

NOTE_KEY = "run_note"
REPORTED = "An earlier failed run of the same backfill was reported; this one is not."


def run_period(dag_run: Any) -> str:
    """Returns what a run is for: the Params that it was given, or its data interval; empty if it has neither."""
    # The UI's form sends every Param, most of them empty.
    given = [f"{name}: {value}" for name, value in (dag_run.conf or {}).items() if value]
    if given:
        return ", ".join(given)
    if dag_run.run_type != "manual" and dag_run.data_interval_start:
        return f"data interval from {dag_run.data_interval_start:%Y-%m-%d %H:%M} UTC"
    return ""


def is_triggered(dag_run: Any) -> bool:
    """Whether a task of another run has triggered the run (:mod:`nightjar.triggered_runs`)."""
    return getattr(dag_run, "run_type", None) == "operator_triggered"


def was_reported(dag_run: Any) -> bool:
    """Whether the run's failure needs no message of its own.

    The listener has noted that, or a task has triggered the run: that task fails too, and its run is reported.
    """
    return is_triggered(dag_run) or REPORTED in (getattr(dag_run, "note", None) or "")


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
