"""Puts the check of Host and Origin in front of Airflow's UI and REST API."""

from __future__ import annotations

from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from .origin_check import OriginCheck


class LaptopPlugin(AirflowPlugin):
    """Airflow loads it through the package's entry point."""

    name = "nightjar_laptop"
    fastapi_root_middlewares: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {
            "name": "Host and Origin check",
            "middleware": OriginCheck,
            "args": [],
            "kwargs": {"port": conf.getint("api", "port")},
        }
    ]
