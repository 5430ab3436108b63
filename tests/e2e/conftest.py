"""One laptop stack for all end-to-end tests, whose calls ``make iam`` compares with the policies."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.support.airflow_ui import AirflowUi
from tests.support.browser import browser
from tests.support.iam_records import SuiteRecorder
from tests.support.loop import Loop, loop

__all__ = ["browser", "loop"]

recorder = SuiteRecorder("usage", Path(__file__).parent)
pytest_deselected = recorder.deselect
pytest_runtest_logreport = recorder.add
pytest_sessionfinish = recorder.finish


@pytest.fixture(scope="module")
def ui(loop: Loop, browser: BrowserContext) -> AirflowUi:
    """Airflow's UI in a browser."""
    return AirflowUi.open(browser, loop.config.airflow_url, loop.config.home / "screenshots")
