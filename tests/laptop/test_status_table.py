"""`make status` is a table in which problems, holds and addresses are seen."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from infra.laptop import parts
from infra.laptop.status_table import show

NOW = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)


@pytest.fixture
def status() -> dict[str, Any]:
    """A stack where everything runs."""
    process = {"state": "running", "pid": 10, "since": "2026-11-28T15:30:00+00:00", "restarts": 0, "log": "x.log"}
    run = {"state": "success", "start_date": "2026-11-28T17:59:00Z", "duration": 12.3, "run_type": "manual"}
    runs = {"process": [{**run, "conf": {"date": "2013-06-20", "end_date": None}}], "deploy": []}
    version = {"version": 2, "status": "Approved", "day": "2013-06-20", "auc": "0.70"}
    return {
        "problems": [],
        "open_alarms": [],
        "supervisor": {"state": "running", "pid": 9},
        "processes": {name: dict(process) for name in parts.ALL},
        "urls": {"airflow": "http://127.0.0.1:8080", "aws_endpoint": "http://127.0.0.1:4566"},
        "workloads": {
            "flights": {
                "url": "http://127.0.0.1:8000",
                "live": {"version": 2, "previous": 1, "hold": False},
                "freeze": None,
                "versions": [version],
                "costs": {
                    "today_usd": 0.0312,
                    "month_usd": 1.5,
                    "forecast_usd": 40.256,
                    "budget_usd": None,
                    "month": "2026-11",
                },
                "last_runs": runs,
            }
        },
    }


def text(status: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(console, status, NOW)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line(status: dict[str, Any], start: str, number: int = 0) -> list[str]:
    """The words of the line that starts so, or of a later one."""
    return [row.split() for row in text(status).splitlines() if row.strip().startswith(start)][number]


def test_every_process_has_its_state_and_age_and_what_has_a_page_its_url(status: dict[str, Any]) -> None:
    assert line(status, "scheduler") == ["scheduler", "running", "10", "2", "h", "ago"]
    assert line(status, "api-server")[-1] == "http://127.0.0.1:8080"
    assert line(status, "cloud")[-1] == "http://127.0.0.1:4566"
    assert line(status, "flights") == ["flights", "http://127.0.0.1:8000"]
    assert "Everything runs" in text(status)


def test_runs_are_shown_with_their_parameters(status: dict[str, Any]) -> None:
    assert line(status, "process ", 1) == ["process", "success", "1", "min", "ago", "12", "date=2013-06-20"]
    assert line(status, "deploy") == ["deploy", "none"]


def test_a_hold_is_shown_with_what_ends_it(status: dict[str, Any]) -> None:
    assert "on hold" not in text(status)
    status["workloads"]["flights"]["live"]["hold"] = True
    assert "version 2, previous 1  on hold" in text(status) and "release_hold" in text(status)


def test_costs_are_shown_and_a_budget_that_is_used_up_too(status: dict[str, Any]) -> None:
    assert "costs     $0.0312 today, $1.5000 in 2026-11, about $40.26 by its end\n" in text(status)
    status["workloads"]["flights"]["costs"]["budget_usd"] = 1.5
    assert "by its end, budget $1.50" in text(status)


def test_a_problem_is_said_last_and_a_restarted_process_shows_how_it_died(status: dict[str, Any]) -> None:
    status["problems"] = ["dags/process.py cannot be imported: NameError: name 'x' is not defined"]
    status["processes"][parts.SCHEDULER] |= {"state": "crashing", "restarts": 4, "last_exit_code": -9}
    assert "✘ dags/process.py cannot be imported: NameError" in text(status).splitlines()[-1]
    assert "Everything runs" not in text(status)
    assert "restarted 4 times, last exit code -9" in " ".join(line(status, "scheduler"))


def test_open_alarms_are_counted_and_named(status: dict[str, Any]) -> None:
    assert line(status, "0 open alarms") == ["0", "open", "alarms", "make", "alerts"]
    status["open_alarms"] = [{"name": "nightjar-flights-cpu"}]
    assert "1 open alarms: nightjar-flights-cpu  make alerts" in text(status)
    status["open_alarms"] = {"error": "the local cloud does not answer"}
    assert "open alarms" not in text(status)


def test_each_part_that_cannot_be_read_says_why(status: dict[str, Any]) -> None:
    of_workload = status["workloads"]["flights"]
    status["workloads"]["flights"] = {part: {"error": "cloud is not running"} for part in of_workload}
    assert text(status).count("cloud is not running") == len(of_workload)


def test_before_the_first_deploy_nothing_is_live(status: dict[str, Any]) -> None:
    status["workloads"]["flights"] |= {"live": None, "versions": []}
    assert line(status, "live") == ["live", "no", "version", "yet"]
    assert line(status, "versions") == ["versions", "none"]


def test_a_freeze_is_shown_with_its_end_its_author_and_its_reason(status: dict[str, Any]) -> None:
    assert "frozen" not in text(status)
    freeze = {"until": "2026-12-27T12:00:00.000000Z", "by": "ada", "reason": "no deploys [over the holidays]"}
    status["workloads"]["flights"]["freeze"] = freeze
    shown = " ".join(text(status).split())
    assert "Deploys are frozen until 2026-12-27 12:00 UTC by ada: no deploys [over the holidays]" in shown
