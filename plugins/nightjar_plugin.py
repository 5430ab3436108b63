"""The plugin that Airflow loads from this folder: Nightjar's listener of DAG runs, and its timetable."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from nightjar import run_listener
from nightjar.bounded import BoundedCronTimetable


class NightjarPlugin(AirflowPlugin):
    """Registers the listener, in the API server and in the scheduler, and the timetable, in every process."""

    name = "nightjar"
    listeners = [run_listener]  # noqa: RUF012 - the base class declares an instance variable
    timetables = [BoundedCronTimetable]  # noqa: RUF012 - likewise
