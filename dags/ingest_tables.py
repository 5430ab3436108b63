"""### PostgreSQL → raw: one workload's reference tables, hourly

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: the tables that `workload.yaml` names, in the database whose Secrets Manager secret it names.

**Outputs** (lake bucket): `raw/<workload>/<table>/`, gzip JSON lines of rows, written once. State table: each table's watermark.

**How it reads**: all tables in one read-only REPEATABLE READ transaction, so that they fit each other; rows whose watermark
column is newer than the last run's upper bound, minus an overlap of one hour for rows that were committed late. An overlap that
did not change is not written again. Nothing new: the task is *skipped* and says so.

**Cautions**
- The watermark column must be set at every write and never be null; deletes are not seen.
- The secret is read at run time and never logged. The role needs SELECT only.
- Delivery is at least once; `process` drops exact duplicates.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
from nightjar.build import code_sha
from nightjar.operators.tables import PostgresToS3Operator
from nightjar.runs import dag_options

from include.build import BUILD_FILE
from include.lake import layout
from include.settings import settings
from include.workloads import Workload, discover


def same_build(context: Any) -> None:
    """Fails when plugins and DAGs are of different builds."""
    code_sha(BUILD_FILE)


def ingest_tables(workload: Workload) -> DAG:
    """The DAG ``<workload>_ingest_tables``."""
    name, platform = workload.name, settings()

    with DAG(
        dag_id=f"{name}_ingest_tables",
        description=f"Tables {', '.join(workload.tables)} → raw",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("5 * * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        **dag_options("ingest", name, workload.owner, platform.alerts_topic_arn),
        params={
            "overlap_seconds": Param(
                3600,
                type="integer",
                minimum=0,
                description="How far behind the last watermark reading begins, in seconds.",
            )
        },
    ) as dag:
        PostgresToS3Operator(
            task_id="postgres_to_s3",
            pre_execute=same_build,
            secret=workload.database.secret,
            tables={
                table: {
                    "columns": {column: field.type for column, field in spec.fields.items()},
                    "watermark": spec.watermark,
                }
                for table, spec in workload.tables.items()
            },
            bucket=platform.lake_bucket,
            raw_key=partial(layout.raw_table_key, name),
            state_table=platform.state_table,
            watermark_keys={table: layout.watermark_key(name, table) for table in workload.tables},
            overlap_seconds="{{ params.overlap_seconds }}",
            execution_timeout=timedelta(hours=1),
        )
    return dag


for _workload in discover()[0]:
    if _workload.tables:
        ingest_tables(_workload)
