"""Whether the run that something belongs to is at work. Pure: the DAG's task passes in how it asks Airflow."""

from __future__ import annotations

from collections.abc import Callable

AT_WORK = ("queued", "running")

RunState = Callable[[str, str], str | None]
"""(DAG, run) → the run's state; None if there is no such run."""


def how_ended(dag_id: str, run_id: str, state: str | None) -> str:
    """Says what became of a run that is not at work; a part of a sentence."""
    return f"run {run_id} of {dag_id} {'does not exist any more' if state is None else f'has ended ({state})'}"
