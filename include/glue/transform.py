"""Glue job: raw objects of some days → staged rows, a report and a quarantine (docs/contracts.md, "Glue jobs").

Reads exactly the objects that --inputs lists. Rows that violate the schema, or for which features() fails, go to
--quarantine, each with its reason. What is written to --staging depends on the inputs and the code only.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from include.glue.days import DayMaker, DayPlan, empty_days, sorted_events
from include.glue.errors import GlueJobError
from include.glue.reading import EVENT_SCHEMA, EventParser, read_within
from include.glue.report import ReportDocument, TransformReport
from include.glue.storage import join_uri, object_uri, read_json, write_json
from include.glue.tables import make_lookups, read_tables
from include.lake.days import parse_days
from include.lake.fingerprint import InputsDocument, RawObject
from include.lake.layout import REPORT_FILE
from include.workloads import Workload, load

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger("nightjar.transform")
LOOKUP_ROWS = 200_000
IN_PROCESS_BYTES = 32 * 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses the job's arguments, ignores Glue's own, and runs the job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("workload", "days", "inputs", "staging", "quarantine"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--lookup-rows", type=int, default=LOOKUP_ROWS)
    parser.add_argument("--in-process-bytes", type=int, default=IN_PROCESS_BYTES)
    options, _ = parser.parse_known_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    transform(
        None,
        load(options.workload),
        parse_days(options.days),
        options.inputs,
        options.staging,
        options.quarantine,
        lookup_rows=options.lookup_rows,
        in_process_bytes=options.in_process_bytes,
    )


def transform(
    spark: SparkSession | None,
    workload: Workload,
    days: list[date],
    inputs_uri: str,
    staging: str,
    quarantine: str,
    *,
    lookup_rows: int = LOOKUP_ROWS,
    in_process_bytes: int = IN_PROCESS_BYTES,
) -> ReportDocument:
    """Writes the processed rows, the refused rows and the report.

    Args:
        spark: The session to run in; None to start one only if the run is too large for this process.
        workload: The workload.
        days: The days to make, in order.
        inputs_uri: URI of the inputs document.
        staging: URI of the run's staging prefix.
        quarantine: URI of the run's quarantine prefix.
        lookup_rows: Up to so many versions of reference rows are looked up in memory; more are joined by Spark.
        in_process_bytes: Up to so many bytes of the stream's objects (compressed) are made without Spark, unless they
            have more text than other objects of that size (:func:`include.glue.reading.read_within`).

    Returns:
        The content of report.json.

    Raises:
        GlueJobError: The inputs document is of another workload or of other days.
    """
    inputs: InputsDocument = read_json(inputs_uri)
    wanted = [day.isoformat() for day in days]
    if inputs["workload"] != workload.name or inputs["days"] != wanted:
        raise GlueJobError(
            f"{inputs_uri} is of {inputs['workload']} {inputs['days']}, but the job is of {workload.name} {wanted}: "
            "start it with the inputs document of its own days"
        )

    def uris(objects: list[RawObject]) -> list[str]:
        return [object_uri(inputs_uri, inputs["bucket"], item["key"]) for item in objects]

    report, plan = TransformReport(days, workload), DayPlan.of(workload, staging, quarantine)
    schemas = {name: event.fields for name, event in workload.events.items()}
    parser = EventParser(schemas, workload.clock, frozenset(wanted), workload.stream.complete.event)
    stream = uris(inputs["stream_objects"])
    table_uris = {name: uris(inputs["table_objects"].get(name, [])) for name in workload.tables}
    tables = read_tables(workload, table_uris, lookup_rows)
    lookups = None if tables is None else make_lookups(workload, tables, report, quarantine)
    contents = read_within(stream, in_process_bytes) if spark is None and lookups is not None else None
    if lookups is not None and contents is not None:
        log.info("making the days in this process: %s objects", len(contents))
        events = sorted_events(parser.batches(stream, contents.__getitem__), EVENT_SCHEMA)
        counts = [row for batch in DayMaker(plan, lookups).make(events) for row in batch.to_pylist()]
    else:
        from include.glue import cluster  # Spark takes seconds to import and to start
        from include.glue.session import spark_session

        frame = cluster.read_events(spark or spark_session("nightjar-transform"), stream, parser)
        if lookups is None:
            log.warning("the tables have more than %s versions of rows: Spark joins them", lookup_rows)
            frame = cluster.with_joined(frame, workload, table_uris, report, quarantine)
        counts = [row.asDict() for row in cluster.make_days(frame, days, plan, lookups or [])]
    for row in counts:
        report.count_events(row["event_date"], row["event_type"], row["reason"], row["rows"], row["duplicates"])
    empty_days(plan, wanted, {(row["event_date"], row["event_type"]) for row in counts})
    log.info("wrote %s", report.totals())
    write_json(join_uri(staging, REPORT_FILE), report.document())
    return report.document()


if __name__ == "__main__":
    main()
