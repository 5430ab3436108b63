"""### Kinesis → raw: one workload's event stream, every 15 minutes.

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: the Kinesis stream that `workload.yaml` names, from each shard's checkpoint on.

**Outputs**: raw bucket: `raw/<workload>/<stream>/`, gzip JSON lines, written once and never overwritten. Lake bucket:
`index/…`, an empty marker for each raw object, which names the days of its events; `quarantine/…`, records that are not
events, each with the reason. State table: a checkpoint for each shard, and the stream's watermark, which `process`
waits for.

**How it ends**: a run reads what arrived before the end of its interval (a manual run: before its logical date, or
before it was triggered; the Param `until` overrides both). Later records are left to the next run. If there is nothing
to read, the last task is *skipped*, with the reason.

**Cautions**
- Only one run at a time, and no other writer: the order put → markers → checkpoint is what makes a crash repairable.
  Clearing any task is safe.
- A shard is read after its parents were read to their end, so a resharding needs no action.
- Aggregates of the Kinesis Producer Library are taken apart; a damaged one is quarantined as a whole.
- With clock `recorded_at` the watermark is the newest `recorded_at` that was read, or what `stream.complete` in
  `workload.yaml` says, and never later than the end of the run. A replay has a clock of its own: its Param
  `complete_to` replaces the newest `recorded_at`.
- A watermark never moves back. If a release before this rule moved it into the future, delete the item
  `watermark#<workload>`, `<stream>` of the state table: the next run writes it anew.
- With clock `recorded_at` a record that claims to be recorded more than five minutes after it arrived is quarantined:
  correct the producer's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, TriggerRule, task
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.build import code_sha
from nightjar.kinesis.hook import KinesisHook
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import instant_param, require_known_params
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import NothingToDoError, UserError
from include.pipelines.ingest import notes
from include.pipelines.ingest.stream import feedback_events, ingest_lineage, unread_lineages
from include.pipelines.ingest.target import stream_target
from include.pipelines.ingest.types import ShardSummary
from include.pipelines.ingest.watermark import advance_watermark as advance
from include.pipelines.protocols import Shard
from include.pipelines.rundate import check_instants, declared_complete, run_end
from include.settings import settings
from include.workloads import Workload, discover, load

PARAMS = {
    "until": instant_param("Read what arrived before this instant. Empty: the end of the run's interval."),
    "complete_to": instant_param("Everything recorded before this instant was sent. Empty: unknown. Replays set it."),
}


@task
def list_shards(workload: str, stream: str, dag_run: Any = None, params: Any = None) -> list[list[Shard]]:
    """Returns groups of related shards that are not read to their end, parents first: one mapped task each."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    with outcomes(fail=UserError):
        check_instants(dag_run, params)
    return unread_lineages(workload, stream, source=KinesisHook(), state=StateHook(settings().state_table))


@task(execution_timeout=timedelta(hours=1), max_active_tis_per_dagrun=4)
def kinesis_to_s3(
    workload: str, stream: str, shards: list[Shard], dag_run: Any = None, params: Any = None
) -> list[ShardSummary]:
    """Reads one group of shards into raw, in order."""
    config = settings()
    with outcomes(fail=UserError):
        until = run_end(dag_run, params)
    target = stream_target(load(workload), config.data_buckets)
    state = StateHook(config.state_table)
    return ingest_lineage(target, shards, until, source=KinesisHook(), objects=ObjectStoreHook(), state=state)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def advance_watermark(
    workload: str, summaries: Sequence[list[ShardSummary]] | None, dag_run: Any = None, params: Any = None
) -> str | None:
    """Advances the instant up to which the stream is complete in raw."""
    config = settings()
    with outcomes(skip=NothingToDoError, fail=UserError):
        until = run_end(dag_run, params)
        complete_to = declared_complete(params, until)
        stores: Any = {"objects": ObjectStoreHook(), "state": StateHook(config.state_table)}
        done = advance(load(workload), summaries or (), until, complete_to, buckets=config.data_buckets, **stores)
    return noted(done, lambda watermark: notes.read(summaries or (), watermark))


@task(trigger_rule=TriggerRule.NONE_FAILED)
def announce_feedback(summaries: Sequence[list[ShardSummary]] | None) -> int:
    """Emits the asset's event if outcomes came in that callers of the service reported; returns their number."""
    count = feedback_events(summaries or ())
    if not count:  # the usual case, which the run's note does not have to tell
        raise AirflowSkipException("No event came through the service's POST /feedback.")
    return count


def ingest_stream(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_ingest_stream``."""
    name, stream = workload.name, workload.stream.name
    feedback = Asset(name=f"{name}_feedback", uri=f"nightjar://{name}/feedback")
    with DAG(
        dag_id=f"{name}_ingest_stream",
        description=f"Kinesis stream {stream} → raw",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("*/15 * * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        params=PARAMS,
        **dag_options("ingest", name, workload.owner, settings().alerts_topic_arn),
    ) as dag:
        shards = list_shards(name, stream)
        summaries: Any = kinesis_to_s3.partial(workload=name, stream=stream).expand(shards=shards)
        advance_watermark(name, summaries)
        announce_feedback.override(outlets=[feedback])(summaries)
    return dag


for _workload in discover(only=parsed_subject("ingest_stream"))[0]:
    ingest_stream(_workload)
