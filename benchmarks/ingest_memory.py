"""Peak memory of one ingest task at two sizes of backlog.

    python -m benchmarks.ingest_memory [RECORDS ...]

The peak should not depend on the size and be at most 250 MB, because a worker has 2 GB for 5 tasks. For each size the
local cloud is started on a free port, one shard is filled, and a new process ingests it and prints its peak resident
set size (``ru_maxrss``). The exit code is 1 when a size exceeds the limit.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any

SIZES = (25_000, 250_000)
LIMIT_MB = 250
READY_SECONDS = 180  # a busy machine takes long; a quiet one 2
ROOT = Path(__file__).parents[1]
VENVS = Path(os.environ.get("NIGHTJAR_HOME", ROOT / ".nightjar")) / "venvs"
RAW, LAKE, STREAM, STATE = "nj-raw", "nj-lake", "bench", "nightjar-state"
PUT_RECORDS = 500  # Kinesis' limit for one PutRecords


def read() -> None:
    """Ingests the stream in this process and prints the result, its seconds and the peak memory as JSON."""
    from nightjar.kinesis.hook import KinesisHook
    from nightjar.objects import ObjectStoreHook
    from nightjar.state.hook import StateHook

    from include.lake.buckets import DataBuckets
    from include.pipelines.ingest.stream import ingest_lineage
    from include.pipelines.ingest.target import StreamTarget

    source = KinesisHook()
    shards = source.shards(STREAM)
    begin = time.perf_counter()
    (summary,) = ingest_lineage(
        StreamTarget("bench", STREAM, DataBuckets(raw=RAW, lake=LAKE), "recorded_at"),
        shards,
        datetime(2999, 1, 1, tzinfo=UTC),
        source=source,
        objects=ObjectStoreHook(),
        state=StateHook(STATE),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**summary, "seconds": time.perf_counter() - begin, "peak_mb": peak}))


def fill(records: int) -> None:
    """Creates buckets, table and stream, and puts ``records`` events of about 400 bytes."""
    import boto3

    from tests.support.state_table import create_state_table

    kinesis = boto3.client("kinesis")
    for bucket in (RAW, LAKE):
        boto3.client("s3").create_bucket(Bucket=bucket)
    create_state_table(boto3.client("dynamodb"), STATE)
    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1})
    for part in batched(range(records), PUT_RECORDS):
        kinesis.put_records(StreamName=STREAM, Records=[{"Data": event(n), "PartitionKey": "k"} for n in part])


def event(number: int) -> bytes:
    """One event; a day has 5,000 of them."""
    day = f"2013-{1 + number // 140_000:02d}-{1 + number // 5_000 % 28:02d}"
    payload = {f"field_{column}": number * 31 % (column + 97) for column in range(16)}
    fields = {
        "event_type": "scheduled",
        "key": str(number),
        "event_time": f"{day}T10:00:00Z",
        "recorded_at": f"{day}T09:00:00Z",
    }
    return json.dumps({**fields, "payload": payload}).encode()


@contextmanager
def cloud() -> Iterator[dict[str, str]]:
    """Starts a local cloud for this benchmark; yields the environment variables that point at it."""
    # Here, because this file also runs in Airflow's environment, which lacks what infra.laptop imports.
    from infra.laptop.free_ports import free_port

    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        port = free_port()
        config = Path(folder) / "cloud.json"
        glue = {"python": sys.executable, "jars": [], "driver_memory": "1g"}
        config.write_text(json.dumps({"port": port, "state": f"{folder}/state", "glue": glue, "images": {}}))
        argv = [str(VENVS / "localcloud" / "bin" / "python"), "-m", "infra.localcloud", "--config", str(config)]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
        endpoint = f"http://127.0.0.1:{port}"
        try:
            wait_ready(process, endpoint, Path(folder) / "log")
            key = json.loads((Path(folder) / "state" / "operator.json").read_text())
            keys = {
                "AWS_ACCESS_KEY_ID": key["access_key_id"],
                "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            yield {"AWS_ENDPOINT_URL": endpoint, "AIRFLOW_HOME": f"{folder}/airflow", **keys}
        finally:
            process.terminate()
            process.wait(READY_SECONDS)


def wait_ready(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Waits until the local cloud answers. Exits with the end of its log if it does not."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{endpoint}/_nightjar/health", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"The local cloud did not start:\n{log.read_text()[-2000:]}")


def child(what: str, env: dict[str, str]) -> str:
    """Runs one step in a new interpreter of Airflow's environment; returns its last line of output."""
    python = str(VENVS / "airflow" / "bin" / "python")
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    argv = [python, "-m", "benchmarks.ingest_memory", what]
    done = subprocess.run(argv, env={**path, **env}, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return (done.stdout.splitlines() or [""])[-1]


def measure(size: int) -> dict[str, Any]:
    """Ingests ``size`` records: ``{"records", "objects", "seconds", "peak_mb", …}``."""
    with cloud() as env:
        child(f"fill={size}", env)
        return json.loads(child("read", env))


def main(sizes: list[int]) -> int:
    """Prints the table. Returns 1 if a size exceeds the limit."""
    print(f"{'records':>10}{'objects':>9}{'seconds':>9}{'peak MB':>9}   target")
    failed = False
    for size in sizes:
        result = measure(size)
        good = result["peak_mb"] <= LIMIT_MB and result["records"] == size
        failed |= not good
        numbers = f"{result['records']:>10}{result['objects']:>9}{result['seconds']:>9.1f}{result['peak_mb']:>9.0f}"
        print(f"{numbers}   at most {LIMIT_MB}, flat: {'ok' if good else 'NOT MET'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments == ["read"]:
        read()
    elif arguments and arguments[0].startswith("fill="):
        fill(int(arguments[0].removeprefix("fill=")))
    else:
        sys.exit(main([int(argument) for argument in arguments] or list(SIZES)))
