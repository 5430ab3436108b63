"""When a run of the retrain DAG reads published days: from its plan to the check of its data set."""

from __future__ import annotations

READS_NO_DAY = (
    "choose_day",
    "wait_day",
    "wait_runs",
    "submit_training",
    "sense_training",
    "submit_tuning",
    "sense_tuning",
    "submit_evaluation",
    "sense_evaluation",
    "register",
)
"""The other tasks of the DAG, one after the other. A process run publishes nothing while none of them is open."""
