"""Runs Athena's queries on a local cloud to their end, over tables whose files a test writes."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.localcloud import Cloud

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
DATABASE = "lake"


class Athena:
    """Athena with a bucket and the database ``lake``.

    Attributes:
        sizes: The sizes of files that a test remembers.
    """

    def __init__(self, cloud: Cloud, bucket: str) -> None:
        self.cloud, self.bucket = cloud, bucket
        self.api, self.s3, self.glue = cloud.client("athena"), cloud.client("s3"), cloud.client("glue")
        self.sizes: dict[str, int] = {}
        self.s3.create_bucket(Bucket=bucket)
        self.ok(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")

    def start(self, sql: str, **more: Any) -> str:
        """Starts a query in the database."""
        arguments = {
            "QueryExecutionContext": {"Database": DATABASE},
            "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/results/"},
            **more,
        }
        return str(self.api.start_query_execution(QueryString=sql, **arguments)["QueryExecutionId"])

    def end(self, query_id: str) -> dict[str, Any]:
        """Waits for the end of a query."""

        def ended() -> Any:
            found = self.api.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return found if found["Status"]["State"] in ENDED else None

        return dict(self.cloud.wait_until(ended, every=0.02))

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        """Runs a query to its end."""
        return self.end(self.start(sql, **more))

    def ok(self, sql: str, **more: Any) -> dict[str, Any]:
        """Runs a query that must succeed."""
        done = self.run(sql, **more)
        assert done["Status"]["State"] == "SUCCEEDED", done["Status"].get("StateChangeReason")
        return done

    def results(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The rows as GetQueryResults answers them, with the header of a SELECT."""
        answer = self.api.get_query_results(QueryExecutionId=self.ok(sql, **more)["QueryExecutionId"])
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The rows of a SELECT without its header."""
        return self.results(sql, **more)[1:]

    def lines(self, sql: str) -> list[str]:
        """The first cell of each row of a statement without header."""
        return [str(row[0] or "").strip() for row in self.results(sql)]

    def failure(self, sql: str, **more: Any) -> str:
        """The reason for which a query fails."""
        done = self.run(sql, **more)
        assert done["Status"]["State"] == "FAILED", self.api.get_query_results(
            QueryExecutionId=done["QueryExecutionId"]
        )
        return str(done["Status"]["StateChangeReason"])

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def body(self, key: str) -> bytes:
        """An object's body."""
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def put(self, key: str, body: bytes | str) -> int:
        """Writes an object; returns its size."""
        data = body.encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return len(data)

    def put_parquet(self, path: str, /, **columns: Any) -> int:
        """Writes a Parquet file of these columns; returns its size."""
        body = io.BytesIO()
        pq.write_table(pa.table(columns), body)
        return self.put(path, body.getvalue())

    def parquet(self, key: str) -> pa.Table:
        """Reads a Parquet file."""
        return pq.read_table(io.BytesIO(self.body(key)))

    def table(self, name: str, columns: str, format_clause: str, partitioned: str = "", more: str = "") -> None:
        """Creates a table over the folder of its name."""
        by = f"PARTITIONED BY ({partitioned})" if partitioned else ""
        location = f"LOCATION 's3://{self.bucket}/{name}/'"
        self.ok(f"CREATE EXTERNAL TABLE {name} ({columns}) {by} {format_clause} {location} {more}")
