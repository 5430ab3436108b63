"""What a person sees of forms, runs and their pages, in a real browser on the running stack.

Screenshots are kept in ``NIGHTJAR_HOME/screenshots``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from infra.laptop.progress import Reporter
from tests.support.airflow_ui import PATIENCE_MS, AirflowUi
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_a_wrong_field_is_named_before_anything_runs(loop: Loop, ui: AirflowUi) -> None:
    before = loop.airflow.runs(f"{WORKLOAD}_deploy")
    form = ui.form(f"{WORKLOAD}_deploy")
    expect(form.get_by_text("Empty: latest.")).to_be_visible()
    ui.fill(form, version="newest")
    form.get_by_role("button", name="Trigger").click()
    expect(form.get_by_text("Invalid input for param version: 'newest'")).to_be_visible(timeout=PATIENCE_MS)
    ui.shoot("form-refused")
    assert loop.airflow.runs(f"{WORKLOAD}_deploy") == before


def test_a_dry_run_of_the_form_reports_on_the_runs_page_and_starts_nothing(loop: Loop, ui: AirflowUi) -> None:
    dag_id, day = f"{WORKLOAD}_process", str(loop.days[0])
    run = ui.run(loop.airflow, dag_id, date=day, dry_run=True)
    assert {state for task, state in run.tasks.items() if task != "stop_jobs"} == {"skipped"}
    ui.open_run(dag_id, run.run_id)
    note = ui.page.get_by_text(f"{day}: published from the same inputs and code.")
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    ui.shoot("run-dry-run")


def backfills(loop: Loop, dag_id: str) -> list[dict[str, Any]]:
    """Airflow's native backfills of a DAG."""
    found: list[dict[str, Any]] = loop.airflow.call("GET", "/backfills", params={"dag_id": dag_id})["backfills"]
    return found


@pytest.mark.parametrize("way", ["browser", "REST", "command line"])
def test_a_native_backfill_of_published_days_ends_green(loop: Loop, ui: AirflowUi, way: str) -> None:
    offset = {"browser": 3, "REST": 5, "command line": 7}[way]  # a day that has a run gets no second one
    dag_id, first = f"{WORKLOAD}_process", loop.config.first_day + timedelta(days=offset)
    known = {run["dag_run_id"] for run in loop.airflow.runs(dag_id, limit=100)}
    last = first + timedelta(days=2)
    # Airflow notes the end of a backfill some time after that of its runs, and refuses a second one until then.
    until(lambda: all(one["completed_at"] for one in backfills(loop, dag_id)), "the backfills before have ended")
    if way == "browser":
        ui.backfill(dag_id, first, last)
    elif way == "REST":
        interval = {"from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
        loop.airflow.call("POST", "/backfills", json={"dag_id": dag_id, **interval})
    else:
        dates = ("--from-date", str(first), "--to-date", str(last))
        loop.airflow_command("backfill", "create", "--dag-id", dag_id, *dates)
    runs = {run["dag_run_id"]: run["run_type"] for run in loop.airflow.runs(dag_id, limit=100)}
    made = {run_id: kind for run_id, kind in runs.items() if run_id not in known}
    assert list(made.values()) == ["backfill"] * 2
    for run_id in made:
        loop.airflow.follow(dag_id, run_id, Reporter())


def test_the_pages_that_tasks_link_to_open(loop: Loop, ui: AirflowUi) -> None:
    for dag, task, button, text in (
        ("process", "publish", "Data Docs", str(loop.days[0])),
        ("retrain", "register", "Model card", "AUC"),
        ("retrain", "register", "Decision", "promote"),
        ("deploy", "verify", "Service", WORKLOAD),
    ):
        dag_id = f"{WORKLOAD}_{dag}"
        done = [run for run in loop.airflow.runs(dag_id, limit=100) if run["state"] == "success"]
        automatic = [run for run in done if run["run_type"] in ("scheduled", "asset_triggered")]
        ui.open_run(dag_id, automatic[-1]["dag_run_id"], task)
        assert ui.follow_link(button) == 200, button
        expect(ui.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)
