"""CPU of the local cloud for a data set's queries (UNLOAD and digest), and for a page of a listing.

    python -m benchmarks.data.dataset [--days 60 365] [--rows 1000] [--repeats 2] [--quick]

The queries are those of a retrain run, over partitioned Parquet of the flights workload, one file a day and table. A
first run meets empty caches; the median of the repeated runs, with another location, counts as well. A page of a
listing is compared with a page of a bucket that has a tenth of the keys: it must not grow with all keys.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from benchmarks.cloud_athena import BUCKET, DATABASE, prepare, seconds, serving
from benchmarks.data.rows import FIRST, day_tables
from benchmarks.table import Row, table
from include.sql.dataset import dataset_digest, dataset_unload
from include.workloads.declaration import Workload
from include.workloads.loader import load

ROOT = Path(__file__).parents[2]
UNLOAD_AND_DIGEST = {60: (4.0, 5.0), 365: (10.0, 12.0)}
FEW_KEYS, ALL_KEYS, PAGES = 3_000, 30_000, 20
FLAT = 1.5


def files(workload: Workload, days: int, rows: int) -> Iterator[tuple[str, date, bytes]]:
    """Makes the Parquet file of each event type and day."""
    for event_type in workload.events:
        for day, one in day_tables(workload, event_type, days, rows, "ms"):
            body = io.BytesIO()
            pq.write_table(one, body, compression="snappy")
            yield event_type, day, body.getvalue()


def cpu_of(work: Callable[[], Any]) -> float:
    """The CPU that this process's server takes while some work is done."""
    (server,) = psutil.Process().children()
    before = server.cpu_times()
    work()
    after = server.cpu_times()
    return after.user + after.system - before.user - before.system


def queries(client: Any, workload: Workload, options: argparse.Namespace, days: int) -> list[Row]:
    """Measures the UNLOAD and the digest of a number of days."""
    # The data set takes in all days; the workload's own would be of 60, however many there are.
    spec = workload.dataset
    train_days = days - spec.validation_days - spec.test_days
    workload = workload.model_copy(update={"dataset": spec.model_copy(update={"train_days": train_days})})
    last = FIRST + timedelta(days=days)
    cutoff = datetime(last.year, last.month, last.day, tzinfo=UTC)
    prepare(client, workload, list(files(workload, days, options.rows)))
    athena = client("athena")
    found: dict[str, list[float]] = {"UNLOAD": [], "digest": []}
    for run in range(options.repeats + 1):
        unload = dataset_unload(workload, DATABASE, cutoff, f"s3://{BUCKET}/datasets/{run}/")
        for name, sql in (("UNLOAD", unload), ("digest", dataset_digest(workload, DATABASE, cutoff))):
            found[name].append(cpu_of(partial(seconds, athena, sql)))
    rows = []
    for (name, (first, *again)), target in zip(found.items(), UNLOAD_AND_DIGEST.get(days, (None, None)), strict=True):
        note = f"first run {first:.2f} s"
        rows.append(Row(f"{name} of {days} days, CPU", statistics.median(again), "s", target, note))
    return rows


def page_cpu(s3: Any, bucket: str, keys: int) -> float:
    """The CPU of a page in the middle of a new bucket with so many keys."""
    s3.create_bucket(Bucket=bucket)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: s3.put_object(Bucket=bucket, Key=f"keys/{number:06d}"), range(keys)))
    place = {"Bucket": bucket, "Prefix": "keys/", "StartAfter": f"keys/{keys // 2:06d}"}

    def pages() -> None:
        for _ in range(PAGES):
            s3.list_objects_v2(**place)

    return cpu_of(pages) / PAGES


def listing(client: Any) -> Row:
    """Measures a page of a bucket of few keys, and then of one of many."""
    s3 = client("s3")
    few, many = page_cpu(s3, "few-keys", FEW_KEYS), page_cpu(s3, "many-keys", ALL_KEYS)
    note = f"{1000 * many:.1f} ms against {1000 * few:.1f} ms"
    return Row(f"page of a listing: {ALL_KEYS:,} keys / {FEW_KEYS:,}, CPU", many / few, "", FLAT, note)


def main() -> int:
    """Prints the table; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="*", default=[60, 365])
    parser.add_argument("--rows", type=int, default=1000, help="rows a day of each event type")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--port", type=int, default=21660)
    parser.add_argument("--quick", action="store_true", help="60 days only")
    options = parser.parse_args()
    if options.quick:
        options.days = [60]
    with tempfile.TemporaryDirectory(prefix="dataset-benchmark-") as work:
        measured: list[Row] = []
        for rows in measure(options, Path(work)):
            print(table(rows), flush=True)
            measured += rows
    return int(any(row.verdict == "MISSED" for row in measured))


def measure(options: argparse.Namespace, work: Path) -> Iterator[list[Row]]:
    """Yields the rows of each number of days, and those of the listing."""
    workload = load("flights")
    for number, days in enumerate(options.days):
        with serving(ROOT, work / str(days), options.port + number) as client:
            yield queries(client, workload, options, days)
    with serving(ROOT, work / "listing", options.port + len(options.days)) as client:
        yield [listing(client)]


if __name__ == "__main__":
    sys.exit(main())
