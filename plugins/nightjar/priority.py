"""Which run's tasks go first when there are fewer slots than tasks: scheduled, then a person's, then a backfill's.

Airflow computes a task instance's weight when it makes it, and then knows the run by its id only. Ids of other forms
are those that a task gave (:mod:`nightjar.triggered_runs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.task.priority_strategy import PriorityWeightStrategy

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance

WEIGHTS = {"scheduled__": 300, "asset_triggered__": 300, "manual__": 200}
LEAST = 100


class RunTypeWeight(PriorityWeightStrategy):
    """The weight of a task by the type of its run."""

    def get_weight(self, ti: TaskInstance) -> int:
        """Returns the weight."""
        return weight_of(ti.run_id)


def weight_of(run_id: str) -> int:
    """Returns the weight of the tasks of a run."""
    return next((weight for prefix, weight in WEIGHTS.items() if run_id.startswith(prefix)), LEAST)
