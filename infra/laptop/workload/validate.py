"""Checks workload folders in seconds, before anything runs: the declarations, and a day of the history.

Each check yields texts that name file and field. Further checks belong into ``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import EndpointConnectionError

from include.pipelines.process.evolution import schema_problems
from include.settings import Settings
from include.workloads import Workload, WorkloadError, check_record, discover, load
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import SOURCE, HistorySource, has_history

SAMPLE = 1000  # events of the history that are checked
Check = Callable[[Workload, LaptopConfig], Iterable[str]]


def validate(config: LaptopConfig, only: str | None = None) -> dict[str, list[str]]:
    """Checks the folder of one workload, or of all.

    Returns:
        Name of each workload → what is wrong with it.
    """
    workloads, errors = ([], []) if only else discover()
    if only:
        try:
            workloads = [load(only)]
        except WorkloadError as error:
            errors = [error]
    found = {error.workload: [str(error)] for error in errors}
    for workload in workloads:
        found[workload.name] = [problem for check in CHECKS for problem in check(workload, config)]
    return dict(sorted(found.items()))


def history_problems(workload: Workload, config: LaptopConfig) -> Iterator[str]:
    """Yields what is wrong with the first day of the workload's history, if it has one."""
    if not has_history(workload.name):
        return
    shown = f"include/workloads/{workload.name}/{SOURCE}"
    seen: set[str] = set()
    try:
        source = HistorySource.open(workload.name, config.data)
        if workload.tables and (missing := sorted(workload.tables.keys() - source.tables().keys())):
            yield f"{shown}: tables() lacks {', '.join(missing)}"
        for event in islice(source.events(source.first, source.first + timedelta(days=1)), SAMPLE):
            seen.add(event["event_type"])
            for problem in _event_problems(workload, event):
                yield f"{shown}: the event {event.get('key')!r}: {problem}"
                return
    except LaptopError as error:
        yield str(error)
        return
    if missing := sorted(workload.events.keys() - seen):
        yield f"{shown}: events() has no event of type {', '.join(missing)} on {source.first}"


def _event_problems(workload: Workload, event: dict[str, object]) -> Iterator[str]:
    spec = workload.events.get(str(event.get("event_type")))
    if spec is None:
        yield f"{event.get('event_type')} is not an event of workload.yaml"
        return
    payload = event["payload"]
    yield from check_record(spec.fields, payload)[1] if isinstance(payload, dict) else ["its payload is no mapping"]


class _Published:
    """The tables of the laptop's catalog."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        try:
            found = self._glue.get_table(DatabaseName=Settings.model_fields["glue_database"].default, Name=table)
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return [(column["Name"], column["Type"]) for column in found["Table"]["StorageDescriptor"]["Columns"]]


def published_problems(workload: Workload, config: LaptopConfig) -> Iterator[str]:
    """Yields what does not fit the days that are published on this machine; nothing while its stack is stopped."""
    try:
        yield from schema_problems(workload, _Published(Aws(config, timeout=5, attempts=1).glue))
    except (FileNotFoundError, EndpointConnectionError):
        return


CHECKS: tuple[Check, ...] = (history_problems, published_problems)
