"""The plugin that Airflow loads from this folder: the listener of DAG runs, the timetable, the tasks' priorities."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from nightjar import run_listener
from nightjar.bounded import BoundedCronTimetable
from nightjar.priority import RunTypeWeight


class NightjarPlugin(AirflowPlugin):
    """Registers the listener, in the API server and in the scheduler, and the others, in every process."""

    name = "nightjar"
    listeners = [run_listener]  # noqa: RUF012 - the base class declares an instance variable
    timetables = [BoundedCronTimetable]  # noqa: RUF012 - likewise
    priority_weight_strategies = [RunTypeWeight]  # noqa: RUF012 - likewise
