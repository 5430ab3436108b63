"""The plugin that Airflow loads from this folder: Nightjar's listener of DAG runs."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from nightjar import run_listener


class NightjarPlugin(AirflowPlugin):
    """Registers the listener, in the API server and in the scheduler."""

    name = "nightjar"
    listeners = [run_listener]  # noqa: RUF012 - the base class declares an instance variable
