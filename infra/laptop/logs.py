"""``make logs``: where the stack's logs are, and the end of one of them."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infra.laptop import parts
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import SUPERVISOR, last_lines


def find(config: LaptopConfig, what: str) -> Path:
    """The log that ``what`` means: a process, or else the newest file of the local cloud whose path contains it.

    Raises:
        LaptopError: There is no such log.
    """
    known = (*parts.ALL, *parts.OPTIONAL)
    if what == SUPERVISOR or what in (*known, *map(parts.short, known)):
        name = what if what == SUPERVISOR else parts.find(what)[0]
        path = config.logs / f"{name}.log"
        if path.is_file():
            return path
        raise LaptopError(f"There is no log at {path}: {name} has never run here. Start the stack with `make run`.")
    folder = _cloud_logs(config)
    found = [path for path in _files(folder) if what in str(path.relative_to(folder))]
    if found:
        return max(found, key=_modified)
    near = difflib.get_close_matches(what, _newest(config), n=1)
    hint = f" Did you mean WHAT={near[0]}?" if near else ""
    raise LaptopError(f"WHAT={what}: there is no such log.{hint} `make logs` lists all.")


def listing(config: LaptopConfig) -> list[str]:
    """A line for each process's log, and for each group of jobs or services with its newest log."""
    return [f"{what:<28} {_size(path):>9}  {_changed(path)}  {path}" for what, path in _newest(config).items()]


def show(path: Path, count: int, *, follow: bool) -> None:
    """Prints the path on stderr and the last lines on stdout; with ``follow`` never returns."""
    print(f"--- {path}", file=sys.stderr, flush=True)
    if follow:
        os.execvp("tail", ["tail", "-n", str(count), "-F", str(path)])
    for line in last_lines(path, count):
        print(line)


def _newest(config: LaptopConfig) -> dict[str, Path]:
    """The log of each process, and the newest one of each log group."""
    folder = _cloud_logs(config)
    groups = {_group(path.relative_to(folder)): path for path in sorted(_files(folder), key=_modified)}
    processes = {parts.short(path.stem): path for path in sorted(config.logs.glob("*.log"))}
    return processes | dict(sorted(groups.items()))


def _cloud_logs(config: LaptopConfig) -> Path:
    return config.state / "cloud" / "logs"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _group(path: Path) -> str:
    """The first folders of a log group, such as ``ecs/nightjar-flights`` or ``aws/sagemaker/TrainingJobs``."""
    return "/".join(path.parts[: 3 if path.parts[0].startswith("aws") else 2])


def _modified(path: Path) -> float:
    return path.stat().st_mtime


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1024:,.0f} KiB"


def _changed(path: Path) -> str:
    return datetime.fromtimestamp(_modified(path), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
