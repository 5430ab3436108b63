"""The Glue job transform on synthetic rows, run as the local cloud runs it: CPU seconds, requests, balance of tasks.

    python -m benchmarks.data.transform [--quick] [--large]

CPU seconds are those of the job's whole process tree and of the endpoint, so they hold on a busy machine. ``--quick``
leaves out the year, ``--large`` adds a year with ten times the rows. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.data import flights_rows
from benchmarks.errors import BenchmarkError
from benchmarks.table import Row, table
from include.lake.fingerprint import inputs_document
from infra.localcloud.linux import adopt_orphans
from infra.package.glue import scripts_and_archive
from tests.support.localcloud import Cloud, base_config, running_cloud

BUCKET, ROLE = "bench", "glue-job"
FIRST_DAY = date(2013, 1, 1)
CASES = {(1, 1000): 12.0, (60, 1000): 28.0, (365, 1000): 60.0}
QUICK, LARGE = [(1, 1000), (60, 1000)], (365, 10_000)
MOST_IMBALANCE = 3.0
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """One run: CPU seconds of the job and of the endpoint, wall-clock seconds, requests to S3, imbalance of tasks.

    ``imbalance`` is the longest task of a stage by the median one, of the worst stage; None without Spark.
    """

    cpu: float
    wall: float
    requests: int
    imbalance: float | None


def main() -> int:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 and 60 days only")
    parser.add_argument("--large", action="store_true", help="also a year with ten times the rows")
    parser.add_argument("--case", help="only this case, like 60x1000; its target is printed if it has one")
    given = parser.parse_args()
    cases = QUICK if given.quick else [*CASES, *([LARGE] if given.large else [])]
    if given.case:
        days, rows = given.case.split("x")
        cases = [(int(days), int(rows))]
    adopt_orphans()
    made = [row for case in cases for row in measured_rows(*case)]
    print(table(made))
    return int(any(row.verdict == "MISSED" for row in made))


def measured_rows(days: int, rows: int) -> list[Row]:
    """The rows of one case."""
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder), base_config()) as cloud:
        run = measure(cloud, [FIRST_DAY + timedelta(days=n) for n in range(days)], rows, Path(folder) / "events")
    note = f"{run.requests} requests to S3; wall {run.wall:.0f} s; {2 * days * rows:,} events"
    name = f"transform, {days} days of {rows:,} rows"
    found = [Row(f"{name}, CPU", run.cpu, "s", CASES.get((days, rows)), note)]
    if run.imbalance is not None:
        found.append(Row(f"{name}, longest task ÷ median", run.imbalance, "", MOST_IMBALANCE))
    return found


def measure(cloud: Cloud, days: list[date], rows: int, event_log: Path) -> Measured:
    """Puts the raw objects, runs the job once, and counts."""
    event_log.mkdir()
    settings = {"enabled": "true", "dir": event_log.as_uri(), "compress": "false", "rolling.enabled": "false"}
    properties = " --conf ".join(f"spark.eventLog.{name}={value}" for name, value in settings.items())
    arguments = {**prepare(cloud, days, rows), "--conf": properties}
    glue = cloud.client("glue")
    seen, before, start = len(cloud.requests()), _running(), time.monotonic()
    with DescendantsCpu() as used:
        run = glue.start_job_run(JobName="transform", Arguments=arguments)["JobRunId"]
        ended = cloud.wait_until(lambda: _ended(glue, run), seconds=3600, every=0.5)
        wall = time.monotonic() - start
        cloud.wait_until(lambda: _running() <= before, seconds=60)
    if ended["JobRunState"] != "SUCCEEDED":
        raise BenchmarkError(f"the job ended with {ended.get('ErrorMessage')}: look at its log in {cloud.state}")
    requests = sum(one["service"] == "s3" for one in cloud.requests()[seen:])
    return Measured(used.seconds, wall, requests, imbalance(event_log))


def imbalance(event_log: Path) -> float | None:
    """The longest task of a stage by the median one, of the worst stage with at least three tasks."""
    stages: dict[int, list[int]] = {}
    for file in event_log.iterdir():
        for event in map(json.loads, file.read_text().splitlines()):
            if event["Event"] == "SparkListenerTaskEnd":
                info = event["Task Info"]
                stages.setdefault(event["Stage ID"], []).append(info["Finish Time"] - info["Launch Time"])
    found = [max(some) / statistics.median(some) for some in stages.values() if len(some) >= 3]
    return max(found) if found else None


def prepare(cloud: Cloud, days: list[date], rows: int) -> dict[str, str]:
    """Puts the code and the raw objects, makes the job, and returns the arguments of a run."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def put(key: str, body: bytes) -> str:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return key

    for name, content in scripts_and_archive().items():
        put(f"code/{name}", content)
    with ThreadPoolExecutor(4) as pool:
        stream = list(pool.map(lambda item: put(*item), _stream(days, rows)))
    tables: dict[str, dict[str, str]] = {}
    for n, (name, values) in enumerate(flights_rows.table_objects(days)):
        key = put(f"raw/flights/{name}/{n:05}.jsonl.gz", flights_rows.table_body(name, values))
        tables.setdefault(name, {})[key] = "checksum"
    document = inputs_document("flights", days, dict.fromkeys(stream, "checksum"), tables, BUCKET)
    put("inputs.json", json.dumps(document).encode())
    cloud.client("glue").create_job(
        Name="transform",
        Role=f"arn:aws:iam::123456789012:role/{ROLE}",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/transform.py"},
        DefaultArguments={"--extra-py-files": f"s3://{BUCKET}/code/include.zip"},
        GlueVersion="6.0",
    )
    return {
        "--workload": "flights",
        "--days": ",".join(day.isoformat() for day in days),
        "--inputs": f"s3://{BUCKET}/inputs.json",
        "--staging": f"s3://{BUCKET}/staging/",
        "--quarantine": f"s3://{BUCKET}/quarantine/",
    }


def _stream(days: list[date], rows: int) -> Iterator[tuple[str, bytes]]:
    for day in days:
        for part, events in enumerate(flights_rows.stream_objects(day, rows)):
            yield f"raw/flights/nightjar-flights/{day}-{part}.jsonl.gz", flights_rows.stream_body(events, part)


def _ended(glue: Any, run: str) -> dict[str, Any] | None:
    found: dict[str, Any] = glue.get_job_run(JobName="transform", RunId=run)["JobRun"]
    return None if found["JobRunState"] in ("STARTING", "RUNNING", "STOPPING") else found


class DescendantsCpu:
    """User and system time that all descendants of this process use in the block, as this process adopts orphans.

    They are looked at ten times a second. What an ended process has used cannot be read from its parent: Spark's
    daemon ignores the ends of its Python workers, and with them the time that they have used.
    """

    def __init__(self) -> None:
        self._ticks: dict[tuple[int, str], int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> DescendantsCpu:
        self._look()
        self._before = sum(self._ticks.values())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    @property
    def seconds(self) -> float:
        """What was used."""
        return (sum(self._ticks.values()) - self._before) / TICKS

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        for pid in _tree(os.getpid()):
            fields = _stat(pid)
            if fields and pid != os.getpid():
                self._ticks[pid, fields[19]] = sum(map(int, fields[11:13]))


def _running() -> set[int]:
    return {pid for pid in _tree(os.getpid()) if _stat(pid)[:1] not in ([], ["Z"])}


def _tree(root: int) -> Iterator[int]:
    yield root
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _tree(int(child))


def _stat(pid: int) -> list[str]:
    """The fields of a process's status, from its state on; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
