"""### Kinesis → raw: one workload's event stream, every 15 minutes

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: the Kinesis stream that `workload.yaml` names, from each shard's checkpoint on.

**Outputs** (lake bucket): `raw/<workload>/<stream>/`, gzip JSON lines, written once and never overwritten; `index/…`, an empty
marker for each raw object and event day; `quarantine/…`, records that are no event, each with the reason. State table: a
checkpoint for each shard and the stream's watermark, which `process` waits for.

**How it ends**: a run reads what arrived before the end of its interval (a manual run: before its logical date, else before it
was triggered; the Param `until` overrides both) and leaves the rest to the next. Nothing to read: the last task is *skipped* and
says so.

**Cautions**
- One run at a time, and no other writer: the order put → markers → checkpoint is what makes a crash repairable. Clearing any
  task is safe.
- A shard is read only after its parents were read whole, so a resharding needs nothing from you.
- Aggregated records of the Kinesis Producer Library are quarantined: switch aggregation off in the producer.
- With clock `recorded_at` the watermark is the newest `recorded_at` read. A replay that ends before midnight must say that it is
  complete: Param `complete_to`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, TriggerRule, task
from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
from nightjar.build import code_sha
from nightjar.kinesis.hook import KinesisReadHook
from nightjar.operators.kinesis import AdvanceWatermarkOperator, KinesisToS3Operator
from nightjar.params import instant_param
from nightjar.runs import dag_options, run_end
from nightjar.state.hook import StateHook
from nightjar.stream.lineage import lineages

from include.build import BUILD_FILE
from include.lake import layout
from include.settings import settings
from include.workloads import Workload, discover

UNTIL = "{{ run_end(dag_run, params) }}"
PARAMS = {
    "until": instant_param("Read what arrived before this instant. Empty: the end of the run's interval."),
    "complete_to": instant_param(
        "Everything recorded before this instant was sent, as a replay knows. Empty: nobody says so."
    ),
}


def ingest_stream(workload: Workload) -> DAG:
    """The DAG ``<workload>_ingest_stream``."""
    name, stream, platform = workload.name, workload.stream.name, settings()
    checkpoint_pk = layout.checkpoint_key(name, stream, "")[0]
    raw_key = layout.raw_stream_key(name, stream, "{ingest_date}", "{shard_id}", "{first_sequence}")
    target = {
        "stream": stream,
        "bucket": platform.lake_bucket,
        "raw_key": raw_key,
        "quarantine_key": layout.quarantine_stream_key(name, stream, "{ingest_date}", "{shard_id}", "{first_sequence}"),
        "marker_key": layout.marker_key(name, stream, "{event_date}", raw_key),
        "checkpoint_pk": checkpoint_pk,
    }

    with DAG(
        dag_id=f"{name}_ingest_stream",
        description=f"Kinesis stream {stream} → raw",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("*/15 * * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        user_defined_macros={"run_end": run_end},
        params=PARAMS,
        **dag_options("ingest", name, workload.owner, platform.alerts_topic_arn),
    ) as dag:

        @task
        def list_shards() -> list[list[dict[str, Any]]]:
            """Groups of related shards that are not read whole, parents first: a mapped task each."""
            code_sha(BUILD_FILE)
            closed = {
                shard for shard, item in StateHook(platform.state_table).query(checkpoint_pk).items() if item["closed"]
            }
            return lineages(KinesisReadHook().shards(stream), closed)

        read = KinesisToS3Operator.partial(
            task_id="kinesis_to_s3",
            until=UNTIL,
            target=target,
            state_table=platform.state_table,
            execution_timeout=timedelta(hours=1),
            max_active_tis_per_dagrun=4,
        ).expand(shards=list_shards())

        AdvanceWatermarkOperator(
            task_id="advance_watermark",
            summaries=read.output,
            until=UNTIL,
            complete_to="{{ params.complete_to or '' }}",
            clock=workload.clock,
            state_table=platform.state_table,
            checkpoint_pk=checkpoint_pk,
            watermark_key=layout.watermark_key(name, stream),
            trigger_rule=TriggerRule.NONE_FAILED,
        )
    return dag


for _workload in discover()[0]:
    ingest_stream(_workload)
