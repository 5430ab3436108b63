"""``make bench-loop``: what the platform is measured by, each value beside its target, on the platform that runs.

    python -m benchmarks.loop [--workload flights] [--nights 3]

The nights are the newest registered one, with every job run anew. Ends with 1 when a target is missed, with 2 when the platform
does not run. The same rows, with every single measurement, are in ``bench-loop.json`` in the run folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from benchmarks import imports, ingest_memory, memory, night
from benchmarks.night import Night
from benchmarks.table import MISSED, Row, table
from infra.laptop import registry, stages
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter
from infra.laptop.stages import Connection

RATIO, IMPORT_SECONDS, FLAT = 1.6, 1.0, 1.1
REST_GB, LOAD_GB = 3.0, 7.0
CLEAN_MINUTES, AGAIN_MINUTES = 10.0, 5.0
REST_SECONDS = 5
GAPS = 5


def main() -> int:
    """Measures and prints."""
    arguments = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        connection = stages.connect(config, Reporter(Console(stderr=True, highlight=False, soft_wrap=True)))
        day = newest_night(connection, arguments.workload)
    except (LaptopError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        rows, details = measure(connection, arguments.workload, day, arguments.nights)
    except (LaptopError, RuntimeError) as error:
        print(f"\nThe measurement failed.\n{error}", file=sys.stderr)
        return 1
    print(table(rows))
    document = {
        "measured_at": datetime.now(UTC).isoformat(),
        "rows": [row.to_json() for row in rows],
        "details": details,
    }
    (config.state / "bench-loop.json").write_text(json.dumps(document, indent=2) + "\n")
    return int(any(row.verdict == MISSED for row in rows))


def parser() -> argparse.ArgumentParser:
    """Which workload, how often."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    found.add_argument("--workload", default="flights")
    found.add_argument("--nights", type=int, default=3, help="retrain nights that are measured; the median counts")
    return found


def newest_night(connection: Connection, workload: str) -> date:
    """The day of the newest registered version. Raises :class:`LaptopError` when there is none."""
    packages = registry.versions(connection.aws, workload)
    if not packages:
        raise LaptopError(f"No version of {workload} is registered yet. Run `make run` to its end first.")
    return date.fromisoformat(packages[0]["CustomerMetadataProperties"]["day"])


def measure(connection: Connection, workload: str, day: date, times: int) -> tuple[list[Row], dict[str, Any]]:
    """All rows, and every single measurement behind them."""
    config, stage = connection.config, connection.reporter.stage
    supervisor = Supervisor(config.state)
    with stage("memory at rest"):
        night.settle(connection.airflow, workload)
        with memory.Sampler(supervisor) as rest:
            rest.wait(REST_SECONDS)
    nights = []
    for number in range(times):
        with stage(f"retrain night {number + 1} of {times} ({day})"):
            average = os.getloadavg()[0]
            nights.append((average, night.measure(connection, workload, day)))
            night.settle(connection.airflow, workload)
    with stage("memory under load: process and retrain anew"), memory.Sampler(supervisor) as load:
        for dag in ("process", "retrain"):
            night.follow(connection, f"{workload}_{dag}", day)
        night.settle(connection.airflow, workload)
    with stage("import of the DAG files"):
        seconds = imports.measure(config.python("airflow"))
    with stage("memory of an ingest task"):
        ingests = [ingest_memory.measure(size) for size in ingest_memory.SIZES]
    runs = recorded_runs(config)
    rows = [
        *night_rows(nights),
        import_row(seconds),
        *ingest_rows(ingests),
        memory_row("PSS of the whole platform at rest", rest, REST_GB),
        memory_row("PSS of the whole platform under load", load, LOAD_GB),
        *run_rows(runs),
    ]
    details = {
        "workload": workload,
        "night": day.isoformat(),
        "processors": os.cpu_count(),
        "nights": [{"load_average": average, "ratio": one.ratio, **asdict(one)} for average, one in nights],
        "imports": seconds,
        "ingest": ingests,
        "memory": {name: asdict(sampler.peak) for name, sampler in (("rest", rest), ("load", load))},
        "runs": runs,
    }
    return rows, details


def night_rows(nights: list[tuple[float, Night]]) -> list[Row]:
    """The night with the median ratio, and what its overhead went to; with each comes the load average before it."""
    median = sorted((one for _, one in nights), key=lambda one: one.ratio)[len(nights) // 2]
    each = ", ".join(f"{one.ratio:.2f} (load {average:.1f}, {one.retries} retries)" for average, one in nights)
    jobs = ", ".join(f"{name} {seconds:.1f}" for name, seconds in median.jobs.items())
    note = f"{median.wall:.1f} s for {median.needed:.1f} s of jobs ({jobs}); each night: {each}"
    most = "; ".join(f"{label} {seconds:.1f}" for label, seconds in list(median.gaps.items())[:GAPS])
    overhead = (median.wall - median.needed) / len(median.path)
    return [
        Row("retrain night: wall clock / its jobs' own time", median.ratio, "", RATIO, note),
        Row("overhead of a task hop (median)", statistics.median([hop for _, one in nights for hop in one.hops]), "s", None,
            f"with what tasks themselves do: {overhead:.1f} s a task on the critical path; most seconds: {most}"),
    ]  # fmt: skip


def import_row(seconds: dict[str, float]) -> Row:
    """The slowest file."""
    worst = max(seconds, key=lambda name: seconds[name])
    return Row(
        "slowest warm import of a DAG file", seconds[worst], "s", IMPORT_SECONDS, f"{worst} of {len(seconds)} files"
    )


def ingest_rows(ingests: list[dict[str, Any]]) -> list[Row]:
    """Peak at each size, and whether it is flat."""
    rows = [
        Row(f"peak memory of an ingest task, {one['records']:,} records", one["peak_mb"], "MB", ingest_memory.LIMIT_MB)
        for one in ingests
    ]
    return [*rows, Row("the same, largest / smallest size", ingests[-1]["peak_mb"] / ingests[0]["peak_mb"], "", FLAT)]


def memory_row(name: str, sampler: memory.Sampler, at_most: float) -> Row:
    """The largest sample."""
    peak = sampler.peak
    if not peak.processes:
        return Row(name, None, "GB", at_most, "no /proc/<pid>/smaps_rollup could be read: PSS needs Linux")
    parts = ", ".join(
        f"{part} {size / memory.GB:.2f}" for part, size in sorted(peak.by_name.items(), key=lambda x: -x[1])
    )
    unread = f"; {peak.unreadable} processes could not be read and are NOT in it" if peak.unreadable else ""
    return Row(
        name,
        peak.total / memory.GB,
        "GB",
        at_most,
        f"{peak.processes} processes, {sampler.samples} samples: {parts}{unread}",
    )


def recorded_runs(config: LaptopConfig) -> list[dict[str, Any]]:
    """What `make run` has written down about its runs on this run folder, oldest first."""
    file = config.state / "summary.json"
    return json.loads(file.read_text()).get("runs", []) if file.is_file() else []


def run_rows(runs: list[dict[str, Any]]) -> list[Row]:
    """The first run of a clean clone (its set-up counts), and the newest run after a run."""
    clean = next((run for run in runs if run["first"] and run["set_up"]), None)
    again = next((run for run in reversed(runs) if not run["first"]), None)
    missing = (
        "no first run with its set-up is on record here" if runs else "no run is on record here: `make run` to its end"
    )
    return [
        _run_row("`make run` from a clean clone", clean, CLEAN_MINUTES, missing),
        _run_row("`make run` again", again, AGAIN_MINUTES, "no second run is on record here: `make run` again"),
    ]


def _run_row(name: str, run: dict[str, Any] | None, at_most: float, missing: str) -> Row:
    if run is None:
        return Row(name, None, "min", at_most, missing)
    return Row(name, run["seconds"] / 60, "min", at_most, f"{run['seconds']:.0f} s, started {run['started']}")


if __name__ == "__main__":
    sys.exit(main())
