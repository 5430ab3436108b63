"""The recorded history of a workload: ``history/`` in its folder, and the data that set-up fetched for it.

``history/source.py`` has ``events(data, start, end)`` and, for a workload with tables, ``tables(data)`` and ``DDL``.
``history/history.toml`` names the data package, its files, and the first and the last day (docs/contracts.md).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from textwrap import shorten
from types import ModuleType
from typing import Any

from infra.laptop.config import LaptopError
from infra.package.tree import ROOT

WORKLOADS = ROOT / "include" / "workloads"
SOURCE, DESCRIPTION = Path("history", "source.py"), Path("history", "history.toml")
LARGEST_OFFSET = 100
MEMBERS = frozenset({"event_type", "key", "event_time", "recorded_at", "payload"})


def port_offsets(workloads: Iterable[str]) -> dict[str, int]:
    """Returns the ``port_offset`` of each workload that has one: where its service listens, after the first port.

    A description that cannot be read has none here; :meth:`HistorySource.open` says what is wrong with it.
    """
    found = {}
    for workload in workloads:
        with suppress(OSError, ValueError):
            offset = tomllib.loads((WORKLOADS / workload / DESCRIPTION).read_text()).get("port_offset")
            if isinstance(offset, int) and 0 <= offset < LARGEST_OFFSET:
                found[workload] = offset
    return found


def has_history(workload: str) -> bool:
    """Whether there is recorded history of the workload to replay."""
    return (WORKLOADS / workload / SOURCE).is_file()


@dataclass(frozen=True)
class HistorySource:
    """The history of one workload.

    Attributes:
        workload: Name of the workload.
        data: The folder of its data files.
        first: The first day that the history has completely.
        last: The last such day.
        recorded_ahead: How long before the day it belongs to an event may be recorded.
    """

    workload: str
    data: Path
    first: date
    last: date
    recorded_ahead: timedelta
    module: ModuleType

    @classmethod
    def open(cls, workload: str, data: Path) -> HistorySource:
        """Opens the history of a workload.

        Args:
            workload: Name of the workload.
            data: The folder of all workloads' data.

        Raises:
            LaptopError: There is no history, it cannot be used, or its data were not fetched.
        """
        if not has_history(workload):
            raise LaptopError(
                f"Workload {workload} has no history to replay. Add include/workloads/{workload}/{SOURCE} "
                "(docs/workload.md), or send events to its stream."
            )
        with _mistakes(workload, DESCRIPTION):
            document = tomllib.loads((WORKLOADS / workload / DESCRIPTION).read_text())
            first, last = _day(document, "first_day"), _day(document, "last_day")
            ahead = timedelta(days=document.get("recorded_ahead_days", 0))
            names = list(document.get("files", {}))
        folder = data / workload
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise LaptopError(
                f"The data of workload {workload} are not complete: {folder} lacks {', '.join(missing)}. "
                "Run `scripts/setup.sh run`; it says why they cannot be fetched."
            )
        with _mistakes(workload, SOURCE):
            module = import_module(f"include.workloads.{workload}.history.{SOURCE.stem}")
        return cls(workload, folder, first, last, ahead, module)

    def require_days(self, first: date, last: date) -> None:
        """Checks that the history has these days.

        Raises:
            LaptopError: It does not have all of them.
        """
        if first < self.first or last > self.last:
            raise LaptopError(
                f"The history of {self.workload} has the days {self.first} to {self.last}, not all of {first} to "
                f"{last}. Choose other nights: NIGHTJAR_NIGHT and NIGHTJAR_HISTORY_DAYS, or TO of `make nights`."
            )

    def events(self, start: date, end: date) -> Iterator[dict[str, Any]]:
        """Yields the events recorded in [start, end), in order of ``recorded_at``."""
        with _mistakes(self.workload, SOURCE):
            for event in self.module.events(self.data, start, end):
                if missing := MEMBERS - event.keys():
                    raise ValueError(f"the event {event.get('key')!r} lacks {', '.join(sorted(missing))}")
                yield event

    def tables(self) -> dict[str, list[Mapping[str, Any]]]:
        """Returns the rows of each table. All rows of a table have the same columns."""
        with _mistakes(self.workload, SOURCE):
            found = _by_name(self.module.tables(self.data), "tables(data)")
            return {table: _rows(table, rows) for table, rows in found.items()}

    def ddl(self) -> list[str]:
        """Returns the statements that create the tables."""
        with _mistakes(self.workload, SOURCE):
            statements = list(_by_name(self.module.DDL, "DDL").values())
            if wrong := [one for one in statements if not isinstance(one, str)]:
                raise TypeError(f"a statement of DDL is {_short(wrong[0])}, not a text")
            return statements


def _day(document: Mapping[str, Any], name: str) -> date:
    value = document[name]
    if not isinstance(value, date):
        raise TypeError(f"{name} must be a date, like 2013-01-01")
    return value


def _by_name(found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise TypeError(f"{what} is {_short(found)}, not a mapping with texts as names")
    return found


def _rows(table: str, rows: object) -> list[Mapping[str, Any]]:
    if not isinstance(rows, Iterable):
        raise TypeError(f"the rows of table {table} are {_short(rows)}")
    found = [_by_name(row, f"a row of table {table}") for row in rows]
    for row in found:
        if row.keys() != found[0].keys():
            names = ", ".join(sorted(row.keys() ^ found[0].keys()))
            raise ValueError(f"the rows of table {table} have different columns: only some have {names}")
    return found


def _short(value: object) -> str:
    return shorten(repr(value), 200)


@contextmanager
def _mistakes(workload: str, file: Path) -> Iterator[None]:
    """Names the file in any error of it, so that a broken history stops only its own workload."""
    try:
        yield
    except Exception as error:
        text = f"lacks the field {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise LaptopError(
            f"include/workloads/{workload}/{file} cannot be used: {text}. Correct the file, then run the command again."
        ) from error
