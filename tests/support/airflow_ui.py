"""Airflow's UI as a person uses it, in a real browser. Screenshots are kept."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Locator, Page, expect

from infra.airflow_api import AirflowApi, Run
from infra.laptop.progress import Reporter
from tests.support.browser import PATIENCE_MS


@dataclass(frozen=True)
class AirflowUi:
    """A tab with Airflow.

    Attributes:
        page: The tab.
        url: Airflow's URL.
        screenshots: The folder of the screenshots.
    """

    page: Page
    url: str
    screenshots: Path

    @classmethod
    def open(cls, browser: BrowserContext, url: str, screenshots: Path) -> AirflowUi:
        """Opens a tab."""
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_viewport_size({"width": 1280, "height": 1000})
        screenshots.mkdir(parents=True, exist_ok=True)
        return cls(page, url, screenshots)

    def shoot(self, name: str) -> None:
        """Keeps a screenshot."""
        self.page.screenshot(path=self.screenshots / f"{name}.png")

    def form(self, dag_id: str) -> Locator:
        """Opens the form of a DAG."""
        self.page.goto(f"{self.url}/dags/{dag_id}")
        self.page.get_by_role("button", name="Trigger Dag").click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog.get_by_text("Run Parameters")).to_be_visible(timeout=PATIENCE_MS)
        return dialog

    def fill(self, form: Locator, **params: str | bool) -> None:
        """Fills fields of a form: a text as a person types it, a switch by a click."""
        for name, value in params.items():
            if isinstance(value, bool):
                form.locator(f"label:has(input[name=element_{name}]) [data-part=control]").click()
                expect(form.get_by_role("checkbox", name=name, exact=True)).to_be_checked(checked=value)
            else:
                # The id of a field for numbers is on the frame around it.
                form.locator(f"input#element_{name}, input[name=element_{name}]").fill(value)

    def trigger(self, form: Locator) -> None:
        """Starts the run of a filled form."""
        form.get_by_role("button", name="Trigger").click()
        # The form closes once the run is made. The message that says so is gone before a busy machine has shown it.
        expect(form).to_be_hidden(timeout=PATIENCE_MS)

    def start(self, airflow: AirflowApi, dag_id: str, **params: str | bool) -> str:
        """Fills the form of a DAG and starts the run; returns its id. A screenshot shows the filled form."""
        known = {run["dag_run_id"] for run in airflow.runs(dag_id)}
        form = self.form(dag_id)
        self.fill(form, **params)
        self.shoot(f"form-{'-'.join(params)}")
        self.trigger(form)
        (run_id,) = {run["dag_run_id"] for run in airflow.runs(dag_id) if run["run_type"] == "manual"} - known
        return run_id

    def run(self, airflow: AirflowApi, dag_id: str, **params: str | bool) -> Run:
        """Starts a run by its form and follows it to its end."""
        return airflow.follow(dag_id, self.start(airflow, dag_id, **params), Reporter())

    def approve(self, airflow: AirflowApi, dag_id: str, run_id: str, task_id: str) -> None:
        """Approves what a task of a run asks a person for, on the task's page; waits for the task before and after.

        Airflow may take a task that is answered at once for one whose worker died. Then it asks again
        (apache/airflow#72716).
        """
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}"
        deadline = time.monotonic() + PATIENCE_MS * 2 / 1000
        while (state := airflow.call("GET", path)["state"]) != "success":
            assert state not in ("failed", "upstream_failed", "skipped"), f"{task_id} asks for nothing: it is {state}"
            assert time.monotonic() < deadline, f"{task_id} is {state}"
            if state == "awaiting_input":
                self.open_run(dag_id, run_id, task_id, "required_actions")
                button = self.page.get_by_role("button", name="Approve", exact=True)
                expect(button).to_be_enabled(timeout=PATIENCE_MS)
                self.shoot("approval")
                button.click()
                expect(button).to_be_disabled(timeout=PATIENCE_MS)
            time.sleep(1)

    def backfill(self, dag_id: str, first: date, last: date) -> None:
        """Starts a backfill of the runs whose data intervals lie between the beginnings of two days."""
        form = self.form(dag_id)
        form.get_by_text("Backfill", exact=True).click()
        for field, day in (("From", first), ("To", last)):
            form.get_by_label(field, exact=True).fill(f"{day}T00:00")
        start = form.get_by_role("button", name="Run Backfill")
        expect(start).to_be_enabled(timeout=PATIENCE_MS)
        self.shoot("backfill-form")
        start.click()
        expect(form).to_be_hidden(timeout=PATIENCE_MS)

    def open_run(self, dag_id: str, run_id: str, task_id: str = "", tab: str = "details") -> None:
        """Opens the page of a run, or a tab of a task of it."""
        self.page.goto(f"{self.url}/dags/{dag_id}/runs/{quote(run_id)}{f'/tasks/{task_id}/{tab}' if task_id else ''}")

    def follow_link(self, name: str) -> int:
        """Opens the page behind a button of the task that is shown; returns the status of the answer."""
        address = self.page.get_by_role("link", name=name, exact=True).get_attribute("href")
        answer = self.page.goto(address or "about:blank")
        self.shoot(name.lower().replace(" ", "-"))
        return answer.status if answer else 0
