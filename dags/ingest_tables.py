"""### PostgreSQL → raw: one workload's reference tables, hourly.

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: the tables that `workload.yaml` names, in the database whose Secrets Manager secret it names.

**Outputs**: `raw/<workload>/<table>/` in the raw bucket, gzip JSON lines of rows, written once. State table: each
table's watermark.

**How it reads**: all tables in one read-only REPEATABLE READ transaction, so that they are consistent with each other.
It reads the rows whose watermark column is newer than the last run's upper bound, minus an overlap of one hour for rows
that were committed late. Rows of the overlap that are in raw are not written again. If there is no new row, the task is
*skipped*, with the reason.

**How it fails**: a table that cannot be read, or that has rows without a watermark (null or in the future), fails the
task at the end, when all else is in raw. The text names table and column.

**Cautions**
- The watermark column must be set at every write, with a time of the writing transaction. A row that vanishes is not
  noticed: declare a column that marks it (`deleted`).
- If a transaction is open for longer than the overlap, every run reads from its beginning on, and the log warns.
- A row with a value that has no form in JSON (`infinity`, the year 12345, NaN), or with more than 1 MiB, is in raw with
  the reason; the transform quarantines it.
- The secret is read at run time and never logged. The database role needs SELECT, and pg_read_all_stats to see when
  other roles' transactions began.
- Delivery is at least once; `process` drops exact duplicates.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from nightjar.build import code_sha
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import number_param, require_known_params
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook
from nightjar.tables.snapshot import snapshot

from include.build import BUILD_FILE
from include.errors import NothingToDoError, RefusedError
from include.pipelines.ingest import notes
from include.pipelines.ingest.tables import RawTables
from include.pipelines.ingest.tables import ingest_tables as ingest
from include.settings import settings
from include.workloads import Workload, discover, load

MAX_OVERLAP_SECONDS = 366 * 86400
PARAMS = {
    "overlap_seconds": number_param(
        3600, "Seconds before the last watermark at which reading begins.", minimum=0, maximum=MAX_OVERLAP_SECONDS
    )
}


@task(execution_timeout=timedelta(hours=1), multiple_outputs=False)
def postgres_to_s3(workload: str, secret: str, dag_run: Any = None, params: Any = None) -> dict[str, int]:
    """Writes the new rows of every table to raw; returns their number by table."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    config, declared = settings(), load(workload)
    overlap, zone = timedelta(seconds=params["overlap_seconds"]), declared.database.zone if declared.database else None
    raw = RawTables(workload, config.data_buckets, ObjectStoreHook(), StateHook(config.state_table))
    with outcomes(skip=NothingToDoError, fail=RefusedError), snapshot(secret) as source:
        return noted(ingest(raw, declared.tables, source, overlap, zone), notes.rows)


def ingest_tables(workload: Workload, secret: str) -> DAG:
    """Makes the DAG ``<workload>_ingest_tables``."""
    name = workload.name
    with DAG(
        dag_id=f"{name}_ingest_tables",
        description=f"Tables {', '.join(workload.tables)} → raw",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("5 * * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        params=PARAMS,
        **dag_options("ingest", name, workload.owner, settings().alerts_topic_arn),
    ) as dag:
        postgres_to_s3(name, secret)
    return dag


for _workload in discover(only=parsed_subject("ingest_tables"))[0]:
    if _workload.tables and _workload.database:
        ingest_tables(_workload, _workload.database.secret)
