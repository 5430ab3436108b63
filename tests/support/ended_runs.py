"""The ways in which a run ends while its job goes on, on a real Airflow (``ended_dags.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.real_airflow import RealAirflow


def mark_failed(airflow: RealAirflow, run: str) -> None:
    """Does what a person does in the UI."""
    airflow.api.call("PATCH", run, json={"state": "failed"})


def mark_failed_and_wait(airflow: RealAirflow, run: str) -> None:
    mark_failed(airflow, run)
    airflow.ended(run)


def delete(airflow: RealAirflow, run: str) -> None:
    """Deletes a run. Airflow deletes none that is running."""
    airflow.api.call("PATCH", "/dags/left", json={"is_paused": True})
    try:
        airflow.api.call("PATCH", run, json={"state": "queued"})
        airflow.api.call("DELETE", run)
    finally:
        airflow.api.call("PATCH", "/dags/left", json={"is_paused": False})


def time_out(airflow: RealAirflow, run: str) -> None:
    airflow.execute_sql("UPDATE dag_run SET start_date = '2013-01-01 00:00:00' WHERE state = 'running'")
    airflow.ended(run)


ENDS: dict[str, tuple[Callable[[RealAirflow, str], Any], str]] = {
    "marked as failed": (mark_failed_and_wait, "has ended (failed)"),
    "over its time limit": (time_out, "has ended (failed)"),
    "its worker killed": (lambda airflow, run: airflow.ended(run), "has ended (failed)"),
    "deleted": (delete, "does not exist any more"),
}
