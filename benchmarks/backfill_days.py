"""The days that ``benchmarks.backfill`` measures: their raw data, and what the stack has made of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from include.lake import state_keys
from include.settings import Settings
from include.workloads import load
from infra.laptop import registry, replay, stages
from infra.laptop.config import LaptopError
from infra.laptop.history_source import HistorySource
from infra.laptop.postgres import running_server
from infra.laptop.stages import Connection

JOBS = [Settings.model_fields[name].default for name in ("glue_transform_job", "glue_audit_job")]


def require_none_processed(connection: Connection, workload: str, days: Iterable[date]) -> None:
    """Checks that the stack has processed none of the days.

    Raises:
        LaptopError: It has: a backfill would leave them out, and adopt the jobs that have made them.
    """
    known = [day for day in days if registry.day(connection.aws, connection.state_table, workload, day)]
    if known:
        raise LaptopError(
            f"{len(known)} of the days are processed already, the first is {known[0]}, so nothing can be measured. "
            "Measure in a run folder of its own: set NIGHTJAR_RUN to a new folder."
        )


def bring(connection: Connection, workload: str, last: date) -> None:
    """Replays and ingests the history up to a day, a month at a time. What is in raw already stays."""
    config, reporter, declared = connection.config, connection.reporter, load(workload)
    source = HistorySource.open(workload, config.data)
    if declared.database is not None:
        with reporter.stage("load reference tables"):
            replay.load_tables(running_server(config), declared, config.data)
    history = replay.History(declared, config.data, source.first - source.recorded_ahead, last + timedelta(days=1))
    reached = replay.replayed_to(connection.aws, connection.state_table, workload) or source.first
    while reached <= last:
        reached = min((reached + timedelta(days=32)).replace(day=1), last + timedelta(days=1))
        with reporter.stage(f"replay and ingest up to {reached}"):
            history.replay(connection.aws, connection.state_table, reached, reporter)
            stages.ingest(connection, workload, reached - timedelta(days=1))


def forget(connection: Connection, workload: str, days: Iterable[date]) -> None:
    """Deletes the state of days, so that a plan takes them for days that were never processed.

    A job of them runs again all the same only as part of another chunk: a submit task adopts a job of the same days.
    """
    for day in days:
        partition, sort = state_keys.day_key(workload, day)
        key = {"pk": {"S": partition}, "sk": {"S": sort}}
        connection.aws.dynamodb.delete_item(TableName=connection.state_table, Key=key)


def job_runs(connection: Connection) -> int:
    """Returns how many runs of process's Glue jobs the stack has started."""
    pages = connection.aws.glue.get_paginator("get_job_runs")
    return sum(len(page["JobRuns"]) for job in JOBS for page in pages.paginate(JobName=job))
