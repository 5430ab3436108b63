"""For which nights Airflow's scheduler makes process and retrain runs: the setting ``nights_file`` of the DAGs.

A run waits for its data. So there is a run only for a night that somebody has asked for: others would wait for ever.
"""

from __future__ import annotations

import json
import threading
from datetime import date
from typing import NamedTuple

from infra.laptop.config import LaptopConfig

_writing = threading.Lock()  # the workloads' nights are made at the same time


class Bounds(NamedTuple):
    """The first and the last night of a workload."""

    first: date
    last: date


def read(config: LaptopConfig, workload: str) -> Bounds | None:
    """The nights of a workload; None before its first."""
    entry = _entries(config).get(workload)
    return Bounds(date.fromisoformat(entry["first"]), date.fromisoformat(entry["last"])) if entry else None


def allow(config: LaptopConfig, workload: str, day: date) -> bool:
    """Lets the scheduler make the runs of a night, and of those between the last one and it.

    Returns:
        Whether the file has changed; the DAG files must then be parsed again.
    """
    with _writing:
        present = read(config, workload)
        if present and present.last >= day:
            return False
        entry = {"first": str(present.first if present else day), "last": str(day)}
        partial = config.nights_file.with_suffix(".partial")
        partial.write_text(json.dumps({**_entries(config), workload: entry}, indent=2) + "\n")
        partial.replace(config.nights_file)
    return True


def _entries(config: LaptopConfig) -> dict[str, dict[str, str]]:
    file = config.nights_file
    return json.loads(file.read_text()) if file.is_file() else {}
