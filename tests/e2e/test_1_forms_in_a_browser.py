"""What a person sees of a DAG's form and of a run, in a real browser on the running stack.

Screenshots are kept in ``NIGHTJAR_HOME/screenshots``.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from infra.laptop.progress import Reporter
from tests.support.airflow_ui import PATIENCE_MS, AirflowUi
from tests.support.loop import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def ui(loop: Loop, browser: BrowserContext) -> AirflowUi:
    return AirflowUi.open(browser, loop.config.airflow_url, loop.config.home / "screenshots")


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
    form = ui.form(dag_id)
    ui.fill(form, date=day, dry_run=True)
    ui.shoot("form-dry-run")
    known = {run["dag_run_id"] for run in loop.airflow.runs(dag_id)}
    ui.trigger(form)
    (run_id,) = {run["dag_run_id"] for run in loop.airflow.runs(dag_id)} - known
    run = loop.airflow.follow(dag_id, run_id, Reporter())
    assert {state for task, state in run.tasks.items() if task != "stop_jobs"} == {"skipped"}
    ui.open_run(dag_id, run_id)
    note = ui.page.get_by_text(f"{day}: published from the same inputs and code.")
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    ui.shoot("run-dry-run")
