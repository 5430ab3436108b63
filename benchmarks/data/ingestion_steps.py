"""The steps of ``benchmarks.data.ingestion``, each run in a new process of Airflow's environment.

python -m benchmarks.data.ingestion_steps STEP NUMBER
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from typing import Any

from benchmarks.ingest_memory import LAKE, PUT_RECORDS, RAW, STATE, STREAM

OBJECT_EVENTS, OBJECT_ROWS = 10_000, 20_000  # the sizes at which ingestion cuts
DAYS = 23  # that the events of one object are of
SECRET, TABLE = "nightjar/bench/database", "readings"
COLUMNS = {"id": "integer", "station": "string", "note": "string", "valid_from": "timestamp", "updated_at": "timestamp"}
COLUMNS |= dict.fromkeys(("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"), "number")


def event(number: int) -> bytes:
    """One event of about 400 bytes."""
    day = date(2013, 1, 1) + timedelta(days=number // OBJECT_EVENTS + number % DAYS)
    payload = {f"field_{column}": number * 31 % (column + 97) for column in range(16)}
    times = {"event_time": f"{day}T10:00:00Z", "recorded_at": f"{day}T09:00:{number % 60:02d}Z"}
    return json.dumps({"event_type": "scheduled", "key": str(number), **times, "payload": payload}).encode()


def fill_stream(events: int) -> dict[str, Any]:
    """Creates buckets, state table and a stream of one shard, and puts the events."""
    import boto3

    from tests.support.state_table import create_state_table

    kinesis: Any = boto3.client("kinesis")
    for bucket in (RAW, LAKE):
        boto3.client("s3").create_bucket(Bucket=bucket)
    create_state_table(boto3.client("dynamodb"), STATE)
    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1})
    for part in batched(range(events), PUT_RECORDS):
        kinesis.put_records(StreamName=STREAM, Records=[{"Data": event(n), "PartitionKey": "k"} for n in part])
    return {}


def fill_table(rows: int) -> dict[str, Any]:
    """Creates the table, and the secret that names its database."""
    import boto3
    import psycopg

    with psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=True) as connection:
        connection.execute(
            f"CREATE TABLE {TABLE} (id int8, station text, note text, valid_from timestamptz, updated_at timestamptz, "
            "temp float8, dewp numeric, humid float8, wind_speed float8, precip float8, pressure numeric, visib int4)"
        )
        connection.execute(
            f"INSERT INTO {TABLE} SELECT n, 'station ' || n % 900, 'a note on \"' || n || '\"', "
            "'2013-01-01 00:00+00'::timestamptz + n * interval '1 minute', "
            "now() - interval '2 days' + n * interval '1 ms', "
            "n % 400 / 10.0, n % 173 / 100.0, n % 1000 / 7.0, n % 31, 0, 1000 + n % 57, n % 11 "
            f"FROM generate_series(1, {int(rows)}) AS n"
        )
        info = connection.info
        secret = {"host": info.host, "port": info.port, "dbname": info.dbname, "username": info.user, "password": "-"}
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(secret))
    return {}


def measured(work: Callable[[], int]) -> dict[str, Any]:
    """Runs the work: its CPU seconds, the peak memory of this process, and what the work returns."""

    def cpu() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    begin = cpu()
    count = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"count": count, "cpu": cpu() - begin, "peak_mb": peak}


def read_stream(turn: int) -> dict[str, Any]:
    """Ingests the stream as the DAG does, as the workload ``bench<turn>``."""
    from nightjar.kinesis.hook import KinesisHook
    from nightjar.objects import ObjectStoreHook
    from nightjar.state.hook import StateHook

    from include.lake.buckets import DataBuckets
    from include.pipelines.ingest.stream import ingest_lineage
    from include.pipelines.ingest.target import StreamTarget

    target = StreamTarget(f"bench{turn}", STREAM, DataBuckets(raw=RAW, lake=LAKE), "recorded_at")

    def work() -> int:
        source = KinesisHook()
        stores: Any = {"objects": ObjectStoreHook(), "state": StateHook(STATE)}
        shards, until = source.shards(STREAM), datetime(2999, 1, 1, tzinfo=UTC)
        (summary,) = ingest_lineage(target, shards, until, source=source, **stores)
        return summary["records"]

    found, objects = measured(work), ObjectStoreHook()
    raw, markers = (len(list(objects.keys(*at))) for at in ((RAW, f"raw/bench{turn}/"), (LAKE, f"index/bench{turn}/")))
    return {**found, "puts": (raw + markers) / raw}


def bare_stream(turn: int) -> dict[str, Any]:
    """GetRecords, gzip, PutObject."""
    import gzip
    import io
    import time

    import boto3

    def work() -> int:
        kinesis, s3 = boto3.client("kinesis"), boto3.client("s3")
        shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
        place: Any = {"StreamName": STREAM, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        iterator, count, waiting = kinesis.get_shard_iterator(**place)["ShardIterator"], 0, list[bytes]()
        while True:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=5_000)
            iterator = answer["NextShardIterator"]
            waiting += [record["Data"] for record in answer["Records"]]
            if len(waiting) >= OBJECT_EVENTS or (waiting and not answer["Records"]):
                body = io.BytesIO()
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=body, mtime=0) as lines:
                    for line in waiting:
                        lines.write(line + b"\n")
                s3.put_object(Bucket=RAW, Key=f"bare{turn}/{count}", Body=body.getvalue(), ChecksumAlgorithm="SHA256")
                count, waiting = count + len(waiting), []
            if not answer["Records"]:
                return count
            time.sleep(0.2)

    return measured(work)


def read_table(turn: int) -> dict[str, Any]:
    """Ingests the table as the DAG does, as the workload ``bench<turn>``."""
    from nightjar.objects import ObjectStoreHook
    from nightjar.state.hook import StateHook
    from nightjar.tables.snapshot import snapshot

    from include.lake.buckets import DataBuckets
    from include.pipelines.ingest.tables import RawTables, ingest_tables
    from include.workloads.tables import TableSpec

    document = {"key": ["id"], "valid_from": "valid_from", "watermark": "updated_at"}
    spec = TableSpec.model_validate({**document, "schema": {name: {"type": kind} for name, kind in COLUMNS.items()}})
    raw = RawTables(f"bench{turn}", DataBuckets(raw=RAW, lake=LAKE), ObjectStoreHook(), StateHook(STATE))

    def work() -> int:
        with snapshot(SECRET) as source:
            return ingest_tables(raw, {TABLE: spec}, source, timedelta(hours=1))[TABLE]

    return measured(work)


def bare_table(turn: int) -> dict[str, Any]:
    """COPY of row_to_json, gzip, PutObject."""
    import gzip
    import io

    import boto3
    import psycopg

    def work() -> int:
        s3, count = boto3.client("s3"), 0
        query = f"COPY (SELECT row_to_json(t) FROM {TABLE} AS t) TO STDOUT"
        with psycopg.connect(os.environ["BENCH_DATABASE"]) as connection, connection.cursor().copy(query) as rows:
            for number, part in enumerate(batched(rows, OBJECT_ROWS)):
                body = io.BytesIO()
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=body, mtime=0) as lines:
                    for line in part:
                        lines.write(line)
                s3.put_object(Bucket=RAW, Key=f"bare{turn}/t{number}", Body=body.getvalue(), ChecksumAlgorithm="SHA256")
                count += len(part)
        return count

    return measured(work)


STEPS = {step.__name__: step for step in (fill_stream, fill_table, read_stream, bare_stream, read_table, bare_table)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](int(sys.argv[2]))))
