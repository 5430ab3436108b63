"""Glue job: raw objects of some days → staged rows, a report and a quarantine (docs/contracts.md, "Glue jobs").

Reads exactly the objects that --inputs lists. Rows that violate the schema, or for which features() fails, go to
--quarantine, each with its reason. What is written to --staging depends on the inputs and the code only.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from include.glue.columns import payload_schema
from include.glue.errors import GlueJobError
from include.glue.featuring import REASON_COLUMN, with_features
from include.glue.joining import join_as_of, table_versions
from include.glue.reading import read_events, read_table
from include.glue.report import ReportDocument, TransformReport
from include.glue.session import spark_session
from include.glue.storage import join_uri, object_uri, read_json, write_json
from include.glue.writing import write_days, write_quarantine
from include.lake.days import parse_days
from include.lake.fingerprint import InputsDocument, RawObject
from include.lake.layout import REPORT_FILE
from include.workloads import Workload, load
from include.workloads.schema import COMMON_COLUMNS

log = logging.getLogger("nightjar.transform")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses the job's arguments, ignores Glue's own, and runs the job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("workload", "days", "inputs", "staging", "quarantine"):
        parser.add_argument(f"--{name}", required=True)
    options, _ = parser.parse_known_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    spark = spark_session("nightjar-transform")
    transform(
        spark, load(options.workload), parse_days(options.days), options.inputs, options.staging, options.quarantine
    )


def transform(
    spark: SparkSession, workload: Workload, days: list[date], inputs_uri: str, staging: str, quarantine: str
) -> ReportDocument:
    """Writes the processed rows, the refused rows and the report.

    Args:
        spark: The session.
        workload: The workload.
        days: The days to make, in order.
        inputs_uri: URI of the inputs document.
        staging: URI of the run's staging prefix.
        quarantine: URI of the run's quarantine prefix.

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

    report = TransformReport(days, workload)
    schemas = {name: event.fields for name, event in workload.events.items()}
    heartbeat = workload.stream.complete.event
    events = read_events(spark, uris(inputs["stream_objects"]), schemas, workload.clock, days, heartbeat).persist()
    report.count_events(events)
    log.info("checked %s", report.totals())
    write_quarantine(events.where("reason is not null"), join_uri(quarantine, "events"), report.any_quarantined)

    tables = {}
    for name in dict.fromkeys(join.table for join in workload.joins):
        objects = uris(inputs["table_objects"].get(name, []))
        rows = read_table(spark, objects, workload.tables[name], workload.clock).persist()
        refused = report.count_table(name, rows)
        write_quarantine(rows.where("reason is not null"), join_uri(quarantine, "tables", name), refused)
        log.info("read the table %s: %s", name, report.table_counts(name))
        tables[name] = table_versions(rows, workload.tables[name])

    good = events.where("reason is null and not duplicate")
    for name, event in workload.events.items():
        frame = _payload(good.where(sf.col("event_type") == name), workload, name)
        if event.role == "features":
            for join in workload.joins:
                frame = join_as_of(frame, tables[join.table], join)
            frame = with_features(frame, workload).persist()
            failed = report.count_failed_features(name, frame)
            write_quarantine(frame.where(sf.col(REASON_COLUMN).isNotNull()), join_uri(quarantine, "features"), failed)
            frame = frame.where(sf.col(REASON_COLUMN).isNull())
            log.info("computed the features of %s", name)
        write_days(frame, workload, name, days, staging, report.written(name))
        log.info("wrote %s", name)
    write_json(join_uri(staging, REPORT_FILE), report.document())
    return report.document()


def _payload(events: DataFrame, workload: Workload, event_type: str) -> DataFrame:
    """Returns ``event_date``, the common columns and the payload's fields."""
    payload = sf.from_json("payload", payload_schema(workload.events[event_type].fields)).alias("payload")
    return (
        events.select("event_date", *(name for name, _ in COMMON_COLUMNS), payload)
        .select("*", "payload.*")
        .drop("payload")
    )


if __name__ == "__main__":
    main()
