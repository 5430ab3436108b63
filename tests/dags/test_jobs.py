"""The DAG of jobs and costs: its shape, and what its tasks do with what they find."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from include.pipelines.cost.budget import Costs
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("jobs")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.jobs(load_workload("flights"))


def test_it_looks_at_the_jobs_and_then_sums_up_every_hour(dag: Any) -> None:
    assert [task.task_id for task in dag.topological_sort()] == ["watch", "costs"]
    assert dag.timetable.expression == "50 * * * *"
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("name", ["process", "retrain"])
def test_every_job_of_a_night_is_claimed_and_recorded(name: str) -> None:
    with platform_settings():
        night = getattr(load(name), name)(load_workload("flights"))
    of_jobs = [
        task for task in night.tasks if task.task_id.startswith(("submit_", "sense_", "transform", "audit", "stop_"))
    ]
    assert len(of_jobs) == {"process": 5, "retrain": 11}[name]  # with tuning
    for task in of_jobs:
        assert task.ledger.table == "nightjar-state" and task.ledger.accounts.workload == "flights", task.task_id


@pytest.mark.parametrize("published", [True, False])
def test_people_are_told_of_a_used_up_budget_once_the_message_is_out(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    spent: Any = {"today": 1.0, "month": 60.0, "without_price": []}
    forecast: Any = {"month": 90.0, "basis": "the last nights"}
    found = Costs("flights", "2026-11", 50.0, spent, forecast)
    remembered: list[Any] = []
    told: list[Any] = []

    def publish(topic: str, subject: str, lines: list[str], run: Any) -> bool:
        told.append((subject, lines))
        return published and bool(lines)

    service = SimpleNamespace(describe=lambda: {"runningCount": 2})
    monkeypatch.setattr(module.EcsService, "connect", lambda *arguments, **options: service)
    monkeypatch.setattr(module.pipeline, "put_costs", lambda *arguments, **options: found)
    monkeypatch.setattr(module.pipeline, "budget_warning", lambda costs, state: ["it is used up"])
    monkeypatch.setattr(module.pipeline, "remember_budget_warning", lambda *arguments: remembered.append(arguments))
    monkeypatch.setattr(module, "publish_warnings", publish)
    with platform_settings():
        assert module.costs.function("flights", dag_run=dag_run()) == {"today": 1.0, "month": 60.0, "forecast": 90.0}
    assert told == [("Nightjar: the month's budget of flights is used up", ["it is used up"])]
    assert len(remembered) == published
