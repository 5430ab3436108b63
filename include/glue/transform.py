"""Glue job: raw objects of some days to staged, processed rows, a report and a quarantine. See docs/architecture.md, "Glue jobs".

Reads exactly the objects listed in --inputs. Rows that break the schema, or that features() cannot handle, go to --quarantine,
each with its reason. What is written under --staging depends on the inputs and the code only.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.glue.columns import payload_schema
from include.glue.featuring import with_features
from include.glue.joining import join_as_of, table_versions
from include.glue.reading import read_events, read_table
from include.glue.report import Report
from include.glue.session import spark_session
from include.glue.storage import object_uri, read_json, under, write_json
from include.glue.writing import write_days, write_quarantine
from include.lake.days import parse_days
from include.workloads import Workload, load
from include.workloads.schema import COMMON_COLUMNS

log = logging.getLogger("nightjar.transform")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses Glue's arguments (unknown ones are Glue's own) and runs the job."""
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
) -> dict:
    """Writes everything and returns the report. Raises ValueError when the inputs are not those of this workload and these
    days.
    """
    inputs = read_json(inputs_uri)
    asked = [day.isoformat() for day in days]
    if inputs["workload"] != workload.name or inputs["days"] != asked:
        raise ValueError(f"{inputs_uri} lists {inputs['workload']} {inputs['days']}, asked for {workload.name} {asked}")

    def uris(objects: list[dict[str, str]]) -> list[str]:
        return [object_uri(inputs_uri, inputs["bucket"], item["key"]) for item in objects]

    report = Report(days, workload)
    schemas = {name: event.fields for name, event in workload.events.items()}
    events = read_events(spark, uris(inputs["stream_objects"]), schemas, days).persist()
    report.count_events(events)
    log.info("checked %s", report.totals())
    write_quarantine(events.where("reason is not null"), under(quarantine, "events"), report.any_quarantined)

    tables = {}
    for name in dict.fromkeys(join.table for join in workload.joins):
        rows = read_table(spark, uris(inputs["table_objects"].get(name, [])), workload.tables[name]).persist()
        refused = report.count_table(name, rows)
        write_quarantine(rows.where("reason is not null"), under(quarantine, "tables", name), refused)
        log.info("read the table %s: %s", name, report.document()["tables"][name])
        tables[name] = table_versions(rows, workload.tables[name])

    good = events.where("reason is null and not duplicate")
    for name, event in workload.events.items():
        frame = _payload(good.where(F.col("event_type") == name), workload, name)
        if event.role == "features":
            for join in workload.joins:
                frame = join_as_of(frame, tables[join.table], join)
            frame = with_features(frame, workload).persist()
            failed = report.count_failed_features(name, frame)
            write_quarantine(frame.where("_reason is not null"), under(quarantine, "features"), failed)
            frame = frame.where("_reason is null")
            log.info("computed the features of %s", name)
        write_days(frame, workload, name, days, staging, report.written(name))
        log.info("wrote %s", name)
    write_json(under(staging, "report.json"), report.document())
    return report.document()


def _payload(events: DataFrame, workload: Workload, event_type: str) -> DataFrame:
    """The common columns, ``event_date`` and the payload's fields."""
    common = [F.col(workload.clock if name == "known_at" else name).alias(name) for name, _ in COMMON_COLUMNS]
    payload = F.from_json("payload", payload_schema(workload.events[event_type].fields)).alias("payload")
    return events.select("event_date", *common, payload).select("*", "payload.*").drop("payload")


if __name__ == "__main__":
    main()
