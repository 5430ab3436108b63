"""Dollars of a night's data path on AWS, at commit abd00c0 and now: requests, DPU seconds and bytes at list prices.

    python -m benchmarks.data.dollars

One day of 1,000 flights is made and audited, and a data set of 60 days is queried. "Now" is measured; prices are the
product's own (include/pipelines/cost/prices.yaml). What is assumed:

- A job's billed time is its time here; a run is charged for at least a minute. Workers are those of the definition.
- Each request costs as much as a PUT, because the kinds of the requests before are not known. So it is an upper bound.
- The stream is read once an hour, each time into one object with events of 23 days.
- A query scans whole files, as the local cloud counts; Athena counts only the columns that it reads.

Not in it, because they are the same before and now: training, the state table, the stream, Airflow.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.data import audit, dataset, transform
from benchmarks.data.ingestion import child
from benchmarks.ingest_memory import cloud
from benchmarks.table import Row, table
from include.pipelines.cost.prices import prices
from include.pipelines.cost.usage import glue_charge, query_charge
from include.workloads.loader import load
from infra.localcloud.linux import adopt_orphans
from tests.support.localcloud import base_config, running_cloud

ROWS, DATASET_DAYS, RAW_OBJECTS, EVENTS = 1000, 60, 24, 2000
WORKER, WORKERS = "G.1X", 2  # of both jobs (infra/definitions/glue.yaml)


class Night(NamedTuple):
    """What AWS would charge for. The seconds are of the two jobs."""

    transform_seconds: float
    audit_seconds: float
    transform_requests: float
    puts_per_raw_object: float


BEFORE = Night(transform_seconds=21.4, audit_seconds=6.5, transform_requests=200, puts_per_raw_object=23.6)
"""Commit abd00c0. Its CPU seconds stand for its seconds, which are not known; both are below a minute."""


def dollars(night: Night, scanned_bytes: int) -> dict[str, float]:
    """Prices a night: what is charged → dollars."""
    found = prices()
    jobs = [glue_charge(seconds, WORKER, WORKERS, found).usd for seconds in night[:2]]
    requests = night.transform_requests + RAW_OBJECTS * night.puts_per_raw_object
    return {
        "DPU seconds": sum(usd or 0 for usd in jobs),
        "requests": requests / 1000 * found.prices["s3_put_thousand"].usd,
        "bytes scanned": 2 * (query_charge(scanned_bytes, found).usd or 0),
    }


def measure() -> Night:
    """Runs ingestion, transform and audit of a day."""
    with cloud() as env:
        child("fill_stream", EVENTS, env)
        puts = child("read_stream", 0, env)["puts"]
    with tempfile.TemporaryDirectory() as work, running_cloud(Path(work), base_config()) as server:
        run = transform.measure(server, [transform.FIRST_DAY], ROWS, Path(work) / "events")
    with tempfile.TemporaryDirectory() as work:
        audit.stage(load("flights"), Path(work), 1, ROWS)
        start = time.monotonic()
        audit.run(Path(work), [audit.FIRST])
        seconds = time.monotonic() - start
    return Night(run.wall, seconds, run.requests, puts)


def rows(now: Night, scanned_bytes: int) -> list[Row]:
    """The rows: the sum before and now, and what it is made of."""
    found = []
    for name, night in (("abd00c0", BEFORE), ("now", now)):
        parts = dollars(night, scanned_bytes)
        note = ", ".join(f"{part} ${usd:.5f}" for part, usd in parts.items())
        counts = f"{night.transform_requests:.0f} requests and {night.puts_per_raw_object:.1f} PUTs per raw object"
        times = f"{night.transform_seconds:.1f} and {night.audit_seconds:.1f} s"
        found.append(Row(f"a night, {name}", 100 * sum(parts.values()), "cents", None, f"{note}; {times}; {counts}"))
    return found


def main() -> int:
    """Measures and prints the table."""
    adopt_orphans()
    scanned = sum(len(body) for *_, body in dataset.files(load("flights"), DATASET_DAYS, ROWS))
    print(table(rows(measure(), scanned)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
