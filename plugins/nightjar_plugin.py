"""The plugin that Airflow loads from this folder: the listener of DAG runs, and the tasks' priorities."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from nightjar import run_listener
from nightjar.priority import RunTypeWeight


class NightjarPlugin(AirflowPlugin):
    """Registers them, in each of Airflow's processes."""

    name = "nightjar"
    listeners = [run_listener]  # noqa: RUF012 - the base class declares an instance variable
    priority_weight_strategies = [RunTypeWeight]  # noqa: RUF012 - as above
