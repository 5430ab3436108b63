"""### quarantine → raw: records of one workload's stream that were refused, read again after a mend; manual.

**Inputs**: `quarantine/<workload>/<stream>/` in the lake: records that were not events for the code of their time.

**Outputs**: those that the code of today can decode, in `raw/<workload>/<stream>/` of the raw bucket (keys with
`requeued-`), with their markers in the lake. The rest is in quarantine again, in a new object with today's reason.
State table: `requeue#…`, the lineage.

**How it ends**: the last task returns what became of each quarantine object, and is *skipped* if there was none. Days
whose events are in raw now must be processed again; the next run of `process` names them.

**Cautions.** A record gets into raw once: clearing and repeating is safe. It counts as arrived when it was requeued.
Rows that *process* refused (`quarantine/<workload>/transform/`) are in raw: process their day again instead.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task
from nightjar.build import code_sha
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import dry_run_param, require_known_params
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import NothingToDoError
from include.pipelines.ingest import notes
from include.pipelines.ingest.requeue import Requeued, RequeueRequest, requeue_stream
from include.pipelines.ingest.target import stream_target
from include.settings import settings
from include.workloads import Workload, discover, load

PARAMS = {"dry_run": dry_run_param()}


@task(execution_timeout=timedelta(hours=1))
def requeue_records(workload: str, stream: str, dag_run: Any = None, params: Any = None) -> list[Requeued]:
    """Reads the quarantined records again."""
    require_known_params(dag_run, params)
    config = settings()
    request = RequeueRequest(datetime.now(UTC), code_sha(BUILD_FILE), params["dry_run"])
    target = stream_target(load(workload), config.data_buckets)
    with outcomes(skip=NothingToDoError):
        done = requeue_stream(target, request, objects=ObjectStoreHook(), state=StateHook(config.state_table))
    return noted(done, notes.requeued)


def requeue(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_requeue``."""
    name, stream = workload.name, workload.stream.name
    with DAG(
        dag_id=f"{name}_requeue",
        description=f"quarantined records of {stream} → raw",
        doc_md=__doc__,
        schedule=None,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        params=PARAMS,
        **dag_options("ingest", name, workload.owner, settings().alerts_topic_arn),
    ) as dag:
        requeue_records(name, stream)
    return dag


for _workload in discover(only=parsed_subject("requeue"))[0]:
    requeue(_workload)
