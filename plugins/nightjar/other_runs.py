"""What became of the run of another DAG that is for the same day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.timetables import interval
from pendulum import instance


def failed_that_day(dag_id: str, cron: str, timezone: str) -> Callable[[Any], bool]:
    """Returns a function of a task's context: whether the scheduled run that another DAG began that day has failed.

    "That day" is the local date at which the data interval of the task's run ends. A run that was cleared since, and is
    at work again, has not failed.

    Args:
        dag_id: The other DAG.
        cron: Its schedule, which fires at most once a day.
        timezone: The schedule's time zone.
    """

    def has_failed(context: Any) -> bool:
        if context["dag_run"].data_interval_end is None:
            return False
        end = instance(context["dag_run"].data_interval_end).in_timezone(timezone)
        other = interval.CronDataIntervalTimetable(cron, timezone).infer_manual_data_interval(run_after=end)
        if other.end.in_timezone(timezone).date() != end.date():
            return False
        failed = RuntimeTaskInstance.get_dr_count(dag_id=dag_id, logical_dates=[other.start], states=["failed"])
        return failed > 0

    return has_failed
