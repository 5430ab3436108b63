"""``make bench-loop``: measures the running laptop stack and prints each value beside its target.

    python -m benchmarks.loop [--workload flights] [--runs 3]

It repeats the newest retrain run, with every job running again. The exit code is 1 when a target is missed, and 2 when
the stack does not run. The rows and every single measurement are written to ``bench-loop.json`` in the run folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from benchmarks import imports, ingest_memory, make_run, memory, retrain_run
from benchmarks.retrain_run import Measurement
from benchmarks.table import MISSED, Row, table
from include.errors import NightjarError
from infra.laptop import night_log, registry, stages
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter
from infra.laptop.stages import Connection

RATIO, IMPORT_SECONDS, FLAT = 1.6, 1.0, 1.1
REST_GB, LOAD_GB = 1.6, 7.0
# The interpreters from which jobs were forked have ended by then (infra/localcloud/zygote.py).
BEFORE_REST_SECONDS, REST_SECONDS = 130, 5
GAPS = 5


def main() -> int:
    """Measures and prints the table; returns the exit code."""
    arguments = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        connection = stages.connect(config, Reporter(Console(stderr=True, highlight=False, soft_wrap=True)))
        day = newest_day(connection, arguments.workload)
    except (NightjarError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        rows, details = measure(connection, arguments.workload, day, arguments.runs)
    except NightjarError as error:
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
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    found.add_argument("--workload", default="flights")
    found.add_argument(
        "--runs", type=int, default=3, help="number of retrain runs that are measured; the median counts"
    )
    return found


def newest_day(connection: Connection, workload: str) -> date:
    """The day of the newest registered version.

    Raises:
        LaptopError: No version is registered.
    """
    packages = registry.versions(connection.aws, workload)
    if not packages:
        raise LaptopError(f"No version of {workload} is registered yet. Run `make run` first.")
    return date.fromisoformat(packages[0]["CustomerMetadataProperties"]["day"])


def measure(connection: Connection, workload: str, day: date, times: int) -> tuple[list[Row], dict[str, Any]]:
    """Measures everything and returns the rows and every single measurement behind them."""
    config, stage = connection.config, connection.reporter.stage
    supervisor = Supervisor(config.state)
    with stage("memory at rest"):
        retrain_run.settle(connection.airflow, workload)
        time.sleep(BEFORE_REST_SECONDS)
        with memory.Sampler(supervisor) as rest:
            rest.wait(REST_SECONDS)
    retrain_runs = []
    for number in range(times):
        with stage(f"retrain run {number + 1} of {times} ({day})"):
            average = os.getloadavg()[0]
            retrain_runs.append((average, retrain_run.measure(connection, workload, day)))
            retrain_run.settle(connection.airflow, workload)
    with stage("memory under load: process and retrain"), memory.Sampler(supervisor) as load:
        for dag in ("process", "retrain"):
            retrain_run.follow(connection, f"{workload}_{dag}", day)
        retrain_run.settle(connection.airflow, workload)
    with stage("import of the DAG files"):
        seconds = imports.measure(config.python("airflow"))
    with stage("memory of an ingest task"):
        ingests = [ingest_memory.measure(size) for size in ingest_memory.SIZES]
    runs, nights = make_run.recorded_runs(config), night_log.read(config)
    rows = [
        *retrain_rows(retrain_runs),
        import_row(seconds),
        *ingest_rows(ingests),
        memory_row("PSS of the laptop stack at rest", rest.peak, rest.samples, REST_GB),
        memory_row("PSS of the laptop stack under load", load.peak, load.samples, LOAD_GB),
        make_run.night_row(nights.get(workload, [])),
        *make_run.rows(runs, nights),
    ]
    details = {
        "workload": workload,
        "day": day.isoformat(),
        "processors": os.cpu_count(),
        "retrain_runs": [{"load_average": average, "ratio": one.ratio, **asdict(one)} for average, one in retrain_runs],
        "imports": seconds,
        "ingest": ingests,
        "memory": {name: asdict(sampler.peak) for name, sampler in (("rest", rest), ("load", load))},
        "runs": runs,
    }
    return rows, details


def retrain_rows(runs: list[tuple[float, Measurement]]) -> list[Row]:
    """The run with the median ratio and the causes of its overhead. ``runs`` has the load average before each run."""
    median = sorted((one for _, one in runs), key=lambda one: one.ratio)[len(runs) // 2]
    each = ", ".join(f"{one.ratio:.2f} (load {average:.1f}, {one.retries} retries)" for average, one in runs)
    jobs = ", ".join(f"{name} {seconds:.1f}" for name, seconds in median.jobs.items())
    note = f"{median.wall:.1f} s for {median.needed:.1f} s of jobs ({jobs}); each run: {each}"
    hop = statistics.median([hop for _, one in runs for hop in one.hops])
    most = "; ".join(f"{label} {seconds:.1f}" for label, seconds in list(median.gaps.items())[:GAPS])
    overhead = (median.wall - median.needed) / len(median.path)
    return [
        Row("retrain run: wall-clock time / time of its jobs", median.ratio, "", RATIO, note),
        Row(
            "overhead of a task hop (median)",
            hop,
            "s",
            None,
            f"including the tasks' own work: {overhead:.1f} s for each task on the critical path; largest: {most}",
        ),
    ]


def import_row(seconds: dict[str, float]) -> Row:
    """The row of the slowest file."""
    worst = max(seconds, key=lambda name: seconds[name])
    return Row(
        "slowest warm import of a DAG file", seconds[worst], "s", IMPORT_SECONDS, f"{worst} of {len(seconds)} files"
    )


def ingest_rows(ingests: list[dict[str, Any]]) -> list[Row]:
    """The peak for each size, and the ratio of the largest size to the smallest."""
    rows = [
        Row(f"peak memory of an ingest task, {one['records']:,} records", one["peak_mb"], "MB", ingest_memory.LIMIT_MB)
        for one in ingests
    ]
    return [*rows, Row("the same, largest / smallest size", ingests[-1]["peak_mb"] / ingests[0]["peak_mb"], "", FLAT)]


def memory_row(name: str, peak: memory.Sample, samples: int, at_most: float) -> Row:
    """The row of the largest sample."""
    if not peak.processes:
        return Row(name, None, "GB", at_most, "no /proc/<pid>/smaps_rollup is readable: PSS needs Linux")
    parts = ", ".join(
        f"{part} {size / memory.GB:.2f}" for part, size in sorted(peak.by_name.items(), key=lambda x: -x[1])
    )
    unread = f"; {peak.unreadable} processes could not be read and are NOT included" if peak.unreadable else ""
    return Row(
        name,
        peak.total / memory.GB,
        "GB",
        at_most,
        f"{peak.processes} processes, {samples} samples: {parts}{unread}",
    )


if __name__ == "__main__":
    sys.exit(main())
