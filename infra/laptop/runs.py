"""The laptop's Airflow: its REST API, and its health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from infra.airflow_api import AirflowApi
from infra.airflow_api.http import HttpTransport

# Every look costs Airflow's API server some 20 ms of CPU, and a start follows several runs at a time.
POLL_SECONDS = 1.0
HINT = "`make status` shows what runs; `make restart WHAT=api-server` starts it anew."


class Airflow(AirflowApi):
    """A client of an Airflow in which every user is an admin."""

    def __init__(self, url: str, timeout: float = 60) -> None:
        super().__init__(HttpTransport(url, timeout=timeout, hint=HINT), poll_seconds=POLL_SECONDS)


def health(url: str) -> Mapping[str, Any] | None:
    """What the API server at ``url`` says of each part of Airflow; None while it does not answer."""
    try:
        answer = httpx.get(f"{url}/api/v2/monitor/health", timeout=5)
        return answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
