"""The archives of the Lambda functions in ``infra/lambdas/``: their modules below the paths that the tree has.

``deadlines`` gets the schedules of the workloads that are released with it, so that both always agree.
"""

from __future__ import annotations

import base64
import json
import zoneinfo
from importlib import resources
from pathlib import Path
from typing import Any

from include.workloads import Workload, discover
from infra.package.tree import contents, zipped

FOLDER = "infra/lambdas"
DEADLINES = "deadlines"
SCHEDULES = "nights.json"
CRON = "include/workloads/cron.py"  # has no imports of ours


def archives(root: Path) -> dict[str, bytes]:
    """``<name>.zip`` → content, for each folder of ``infra/lambdas/``."""
    folders = sorted(path for path in (root / FOLDER).glob("*") if path.is_dir() and contents(path))
    return {f"{folder.name}.zip": archive(root, folder.name) for folder in folders}


def archive(root: Path, name: str) -> bytes:
    """The archive of one function."""
    entries = contents(root / FOLDER / name, f"{FOLDER}/{name}/")
    if name == DEADLINES:
        workloads, _ = discover(root / "include" / "workloads")
        entries[CRON] = (root / CRON).read_bytes()
        entries[SCHEDULES] = schedules(workloads)
    return zipped(entries)


def schedules(workloads: list[Workload]) -> bytes:
    """What the deadline check knows of the workloads, as JSON."""
    return (json.dumps({workload.name: _entry(workload) for workload in workloads}, indent=1) + "\n").encode()


def _entry(workload: Workload) -> dict[str, Any]:
    schedule = workload.schedule.model_dump(
        mode="json", include={"process", "retrain", "timezone", "start", "deadline"}
    )
    return {**schedule, "zone": _zone(schedule["timezone"]), "deploys": workload.approval == "automatic"}


def _zone(name: str) -> str | None:
    """A time zone's file in base64, because Lambda's runtime may have none; None for UTC."""
    if name == "UTC":
        return None
    files = [file for folder in zoneinfo.TZPATH if (file := Path(folder, name)).is_file()]
    body = files[0].read_bytes() if files else resources.files("tzdata.zoneinfo").joinpath(name).read_bytes()
    return base64.b64encode(body).decode()
