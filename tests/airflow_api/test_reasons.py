"""Whether a rule ended a run, or something else."""

from __future__ import annotations

from typing import Any

import pytest

from infra.airflow_api import AirflowRefusedError
from infra.airflow_api.reasons import refusal

RULE, CRASH = "AirflowFailException: a fifth of the rows is empty", "ValueError: shard 2 is gone"


class Api:
    """A run of which some tasks failed: task → (its end, the reason that it recorded)."""

    def __init__(self, **failed: tuple[str, str | None]) -> None:
        self.failed = failed

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        ended = {"task_id": "first", "state": "success", "end_date": "0", "map_index": -1}
        return [ended] + [
            {"task_id": task, "state": "failed", "end_date": end, "map_index": -1}
            for task, (end, _) in self.failed.items()
        ]

    def call(self, method: str, path: str, *, params: dict[str, Any]) -> Any:
        assert path.startswith("/dags/flights_process/dagRuns/a%20run/taskInstances/") and params == {"map_index": -1}
        reason = self.failed[path.split("/")[6]][1]
        if reason is None:
            raise AirflowRefusedError("404")
        return {"value": {"reason": reason, "try": 1, "log_url": ""}}


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ({}, None),
        ({"gate": ("2", RULE)}, "a fifth of the rows is empty"),
        ({"gate": ("2", CRASH)}, None),
        ({"gate": ("2", None)}, None),
        ({"stop_jobs": ("3", CRASH), "gate": ("2", RULE)}, "a fifth of the rows is empty"),
        ({"stop_jobs": ("3", RULE), "gate": ("2", CRASH)}, None),
    ],
)
def test_the_first_failure_says_whether_a_rule_ended_the_run(failed: Any, said: str | None) -> None:
    api: Any = Api(**failed)
    assert refusal(api, "flights_process", "a run") == said
