"""Measures the data set query of 60 days on the local cloud's Athena, beside that of another commit.

    python -m benchmarks.cloud_athena --base COMMIT [--days 60] [--flights 800] [--repeats 3]

Both checkouts serve from this machine, one after the other, in one session. Each gets the same rows: partitioned
Parquet of the flights workload, one file a day and table. The rendered UNLOAD and digest of the data set run as on
AWS. The first run meets empty caches; the repeated runs have other locations and read the same objects again.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from botocore.config import Config

from benchmarks.checkout import BASE, checkout
from benchmarks.errors import BenchmarkError
from benchmarks.table import Row, table
from include.lake.resources import table_name
from include.sql.dataset import dataset_digest, dataset_unload
from include.workloads.declaration import Workload
from include.workloads.loader import load
from include.workloads.schema import PARTITION_COLUMN, processed_columns

ROOT = Path(__file__).parents[1]
BUCKET, DATABASE = "athena-benchmark", "nightjar"
TARGET = 0.5
START_SECONDS = 180  # a busy machine takes more than a minute
QUERY_SECONDS = 600
STOP_SECONDS = 180
ARROW = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms"),
}
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@contextmanager
def serving(checkout: Path, folder: Path, port: int) -> Iterator[Any]:
    """Runs the local cloud of a checkout; gives a function that makes clients of it."""
    folder.mkdir(parents=True)
    config = {
        "port": port,
        "state": str(folder / "state"),
        "glue": {"python": sys.executable, "jars": [], "driver_memory": "1g"},
        "images": {},
    }
    (folder / "cloud.yaml").write_text(yaml.safe_dump(config))
    python = ROOT / ".nightjar" / "venvs" / "localcloud" / "bin" / "python"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-m", "infra.localcloud", "--config", str(folder / "cloud.yaml")],
            cwd=checkout,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_ready(process, port)
        yield lambda service: _client(service, folder / "state", port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_nightjar/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise BenchmarkError("the local cloud did not start; see server.log in its folder")


def _client(service: str, state: Path, port: int) -> Any:
    operator = state / "operator.json"
    keys = (
        json.loads(operator.read_text())
        if operator.exists()
        else {"access_key_id": "operator", "secret_access_key": "operator"}
    )
    make: Any = boto3.client  # its type has one overload for each literal service name
    return make(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        config=Config(s3={"addressing_style": "path"}),
    )


def day_files(workload: Workload, first: date, days: int, flights: int) -> Iterator[tuple[str, date, bytes]]:
    """Makes the Parquet file of each event type and day: plausible values, some of them null."""
    chance = random.Random(8)
    for number in range(days):
        day = first + timedelta(days=number)
        for event_type in workload.events:
            columns = processed_columns(workload, event_type)
            rows: dict[str, list[Any]] = {name: [] for name, _ in columns}
            for flight in range(flights):
                at = datetime.fromisoformat(str(day)) + timedelta(seconds=flight * 86400 // flights)
                for name, kind in columns:
                    rows[name].append(_value(chance, name, kind, f"{day}-{flight}", at))
            schema = pa.schema([(name, ARROW[kind]) for name, kind in columns])
            body = io.BytesIO()
            pq.write_table(pa.table(rows, schema=schema), body, compression="snappy")
            yield event_type, day, body.getvalue()


def _value(chance: random.Random, name: str, kind: str, key: str, at: datetime) -> Any:
    if name == "key":
        return key
    if kind == "timestamp":
        return at if name == "event_time" else at + timedelta(seconds=chance.randrange(60))
    if chance.random() < 0.05:
        return None
    if kind == "string":
        return chance.choice(["UA", "B6", "EWR", "JFK", "ORD"])
    return (
        chance.random() < 0.5
        if kind == "boolean"
        else chance.randrange(60)
        if kind == "bigint"
        else chance.gauss(10, 40)
    )


def prepare(client: Any, workload: Workload, files: list[tuple[str, date, bytes]]) -> None:
    """Puts the files and describes the tables and partitions in the catalog."""
    s3, glue = client("s3"), client("glue")
    s3.create_bucket(Bucket=BUCKET)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for event_type in workload.events:
        columns = [{"Name": name, "Type": kind} for name, kind in processed_columns(workload, event_type)]
        storage = {"Columns": columns, "Location": f"s3://{BUCKET}/{event_type}/", **PARQUET}
        glue.create_table(
            DatabaseName=DATABASE,
            TableInput={
                "Name": table_name(workload.name, event_type),
                "TableType": "EXTERNAL_TABLE",
                "StorageDescriptor": storage,
                "PartitionKeys": [{"Name": PARTITION_COLUMN[0], "Type": PARTITION_COLUMN[1]}],
            },
        )
    for event_type, day, body in files:
        prefix = f"{event_type}/{PARTITION_COLUMN[0]}={day}/"
        s3.put_object(Bucket=BUCKET, Key=prefix + "part-0.parquet", Body=body)
        glue.create_partition(
            DatabaseName=DATABASE,
            TableName=table_name(workload.name, event_type),
            PartitionInput={
                "Values": [str(day)],
                "StorageDescriptor": {
                    "Columns": [{"Name": n, "Type": k} for n, k in processed_columns(workload, event_type)],
                    "Location": f"s3://{BUCKET}/{prefix}",
                    **PARQUET,
                },
            },
        )


def seconds(athena: Any, sql: str) -> float:
    """Runs a query to its end, as a client sees it.

    Raises:
        BenchmarkError: The query failed.
    """
    started = time.perf_counter()
    query_id = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"}
    )["QueryExecutionId"]
    while time.perf_counter() - started < QUERY_SECONDS:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return time.perf_counter() - started
        if status["State"] in ("FAILED", "CANCELLED"):
            raise BenchmarkError(f"the query ended as {status['State']}: {status.get('StateChangeReason')}")
        time.sleep(0.02)
    raise BenchmarkError("the query did not end in time")


def measure(checkout: Path, folder: Path, port: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Measures one checkout: the first and the median repeated run of the UNLOAD and of the digest, in seconds."""
    workload = load("flights")
    first = date(2013, 3, 1)
    last = first + timedelta(days=arguments.days)
    cutoff = datetime(last.year, last.month, last.day, tzinfo=UTC)
    files = list(day_files(workload, first, arguments.days, arguments.flights))
    found: dict[str, float] = {}
    with serving(checkout, folder, port) as client:
        prepare(client, workload, files)
        athena = client("athena")
        for name in ("unload", "digest"):
            times = []
            for run in range(arguments.repeats + 1):
                if name == "unload":
                    sql = dataset_unload(workload, DATABASE, cutoff, f"s3://{BUCKET}/datasets/{run}/")
                else:
                    sql = dataset_digest(workload, DATABASE, cutoff)
                times.append(seconds(athena, sql))
            if name == "unload":
                found["first"] = times[0]
            found[name] = statistics.median(times[1:])
    return found


def rows(arguments: argparse.Namespace) -> list[Row]:
    """Measures the base and this checkout, and compares them."""
    with tempfile.TemporaryDirectory(prefix="athena-benchmark-") as work, checkout(arguments.base) as tree:
        base = measure(tree, Path(work) / "base", arguments.port, arguments)
        own = measure(ROOT, Path(work) / "own", arguments.port + 1, arguments)
    labels = {
        "first": "data set UNLOAD, first run",
        "unload": "data set UNLOAD, repeated run",
        "digest": "data set digest, repeated run",
    }
    return [
        Row(
            f"{label}: time / time of the base",
            own[name] / base[name],
            "",
            TARGET,
            f"{own[name]:.2f} s against {base[name]:.2f} s",
        )
        for name, label in labels.items()
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--base", default=BASE, help="the commit to compare with")
    found.add_argument("--days", type=int, default=60)
    found.add_argument("--flights", type=int, default=800, help="flights a day")
    found.add_argument("--repeats", type=int, default=3)
    found.add_argument("--port", type=int, default=21650)
    return found


def main() -> int:
    """Prints the table; the exit code is 1 when a target is missed."""
    measured = rows(parser().parse_args())
    print(table(measured))
    return int(any(row.verdict == "MISSED" for row in measured))


if __name__ == "__main__":
    raise SystemExit(main())
