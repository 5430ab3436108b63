"""Which processes of the stack are dead, keep dying or hang, and what a person does about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.laptop import parts
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import STEADY_SECONDS, ProcessRecord, Supervisor, alive, last_lines

LOG_LINES = 5
# Airflow calls a process unhealthy after 30 s without a heartbeat, the triggerer after 180 s. One that has just started
# may still show the heartbeat of the process before it.
STARTING_SECONDS = 45.0
# On a busy machine a healthy process may send none for minutes; a row of nights must not end for that.
SILENT_SECONDS = 300.0
CRASHES = 3  # deaths in a row: a restarted PostgreSQL ends some others once, perhaps twice
HEALTH_SECONDS = 10.0
_IN_HEALTH = {
    parts.SCHEDULER: "scheduler",
    parts.TRIGGERER: "triggerer",
    parts.DAG_PROCESSOR: "dag_processor",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a process.

    Attributes:
        lasting: Whether it stays so until a person does something.
    """

    name: str
    what: str
    log: str
    lasting: bool = True

    def text(self, lines: int = LOG_LINES) -> str:
        """What happened, what to do, and the end of the log."""
        path = Path(self.log)
        end = "\n".join(last_lines(path, lines)) if lines and path.is_file() else ""
        shown = f" The end of its log:\n{end}" if end else ""
        return (
            f"{self.name} {self.what}. `make restart WHAT={parts.short(self.name)}` starts it. Its log: {path}.{shown}"
        )


def state(record: ProcessRecord | None) -> str:
    """``running``, ``stopped``, ``restarting``, ``crashing``, ``failed`` or ``dead``.

    A process is *crashing* when it runs at this moment, but died several times in a row and has not run long since.
    """
    if record is None:
        return "stopped"
    if not alive(record):
        return record.state if record.state != "running" else "dead"
    young = time.time() - record.created < STEADY_SECONDS
    return "crashing" if record.deaths >= CRASHES and young else "running"


def describe(record: ProcessRecord | None) -> dict[str, Any]:
    """State, pid, start time, restarts and last exit code of a process; of a dead one also the end of its log."""
    found: dict[str, Any] = {"state": state(record)}
    if record is None:
        return found
    found |= {"restarts": record.restarts, "log": record.log}
    if alive(record):
        since = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        found |= {"pid": record.pid, "since": since}
    if record.exit_code is not None:
        found["last_exit_code"] = record.exit_code
    if found["state"] != "running":
        path = Path(record.log)
        found |= {"detail": record.detail, "last_lines": last_lines(path, LOG_LINES) if path.is_file() else []}
    return found


def faults(
    supervisor: Supervisor, health: Mapping[str, Any] | None = None, names: Iterable[str] = parts.ALL
) -> list[Fault]:
    """The processes that do not run as they should.

    Args:
        supervisor: The processes of a run folder.
        health: What Airflow's API server says of each part of Airflow; None when it was not asked.
        names: The processes to look at.
    """
    watched = supervisor.supervisor() is not None
    found = [_fault(name, supervisor, watched=watched) for name in names]
    return [fault for fault in found if fault] + list(_silent(supervisor, health or {}))


def _fault(name: str, supervisor: Supervisor, *, watched: bool) -> Fault | None:
    record = supervisor.record(name)
    log = str(supervisor.logs / f"{name}.log")
    died = f"died with exit code {record.exit_code}" if record and record.exit_code is not None else "has died"
    match state(record):
        case "running":
            return None if watched else Fault(name, "runs, but the supervisor that would restart it is dead", log)
        case "stopped":
            return Fault(name, "is not running", log)
        case "failed":
            assert record is not None
            return Fault(name, f"is not running: it {record.detail}", log)
        case "crashing":
            assert record is not None
            return Fault(name, f"{died}, {record.deaths} times in a row, and is restarted each time", log)
        case _ if not watched:
            return Fault(name, "is dead, and so is the supervisor that would restart it", log)
        case _:
            return Fault(name, f"{died} and is being restarted", log, lasting=False)


def unhealthy(health: Mapping[str, Any]) -> tuple[str, ...]:
    """The processes that Airflow does not call healthy; the API server itself, if it cannot reach its database."""
    named = {parts.API: "metadatabase", **_IN_HEALTH}
    return tuple(name for name, part in named.items() if health.get(part, {}).get("status") != "healthy")


def _silent(supervisor: Supervisor, health: Mapping[str, Any]) -> Iterable[Fault]:
    """The processes that run, but send no heartbeat: they may hang, or the machine is busy."""
    for name in unhealthy(health) if health else ():
        record, part = supervisor.record(name), _IN_HEALTH.get(name)
        if part is None or record is None or state(record) != "running":
            continue
        if time.time() - record.created > STARTING_SECONDS:
            last = health.get(part, {}).get(f"latest_{part}_heartbeat") or "its start"
            yield Fault(name, f"runs, but has sent no heartbeat since {last}", record.log, lasting=False)


def require_running(config: LaptopConfig, names: Iterable[str] = parts.ALL) -> None:
    """Checks that the processes run; without ``names`` all of the stack.

    Raises:
        LaptopError: The stack does not run, or a process of it is dead or keeps dying. The text has the end of its log.
    """
    supervisor = Supervisor(config.state)
    if not supervisor.running():
        raise LaptopError("The laptop stack is not running. Start it with `make run`.")
    _refuse(faults(supervisor, names=names))


def _refuse(found: Iterable[Fault]) -> None:
    lasting = [fault.text() for fault in found if fault.lasting]
    if lasting:
        raise LaptopError("\n".join(lasting))


@dataclass
class Watch:
    """Called while a run is followed: reports each death or silence once, and ends the wait for a lasting fault.

    Attributes:
        health: Asks Airflow's API server for the state of its parts; None when it does not answer.
    """

    supervisor: Supervisor
    report: Callable[[str], None]
    health: Callable[[], Mapping[str, Any] | None]
    _reported: set[tuple[str, str]] = field(default_factory=set)
    _silent_since: dict[str, float] = field(default_factory=dict)
    _next_question: float = 0.0

    def __call__(self) -> None:
        """Looks at the processes at each call, and asks for heartbeats now and then.

        Raises:
            LaptopError: A process is dead, keeps dying, or hangs.
        """
        health = None
        if time.monotonic() >= self._next_question:
            self._next_question = time.monotonic() + HEALTH_SECONDS
            health = self.health()
            _refuse(self._hanging(health or {}))
        found = faults(self.supervisor, health)
        _refuse(found)
        for fault in found:
            record = self.supervisor.record(fault.name)
            death = (fault.name, str(record and record.restarts))
            if death not in self._reported:
                self._reported.add(death)
                self.report(f"{fault.name} {fault.what}; its log: {fault.log}")

    def _hanging(self, health: Mapping[str, Any]) -> list[Fault]:
        """The processes that have been silent for long; not counted is the time in which the machine slept."""
        found, now = {fault.name: fault for fault in _silent(self.supervisor, health)}, time.monotonic()
        self._silent_since = {name: self._silent_since.get(name, now) for name in found}
        since = self._silent_since
        return [replace(fault, lasting=True) for fault in found.values() if now - since[fault.name] >= SILENT_SECONDS]
