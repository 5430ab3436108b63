"""A client of Airflow's REST API, over HTTP (the laptop) or through MWAA."""

from __future__ import annotations

from infra.airflow_api.client import DONE, AirflowApi, Listener, Run, since
from infra.airflow_api.errors import AirflowRefusedError, AirflowUnreachableError, RunFailedError

__all__ = [
    "DONE",
    "AirflowApi",
    "AirflowRefusedError",
    "AirflowUnreachableError",
    "Listener",
    "Run",
    "RunFailedError",
    "since",
]
