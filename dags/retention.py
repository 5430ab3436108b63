"""### Expiry: transform runs and data sets of one workload that nothing needs any more, weekly on Sunday.

**Inputs**: what is below `staging/<workload>/` and `datasets/<workload>/` in the lake. The catalog's partitions, the
items of days in the state table and the registered versions say what is needed.

**Outputs**: none; objects are deleted. What stays: everything that a published partition reads, the newest run of each
day, the data set of each version that is approved or waits for approval, and all that is younger than `retention` of
`workload.yaml`. Raw, markers, quarantine, manifests and models are never expired.

**How it ends**: the task returns what it deleted, and is *skipped* if there is nothing, or with the list of a dry run.

**Cautions.** The bucket is versioned: what was deleted can be restored for 30 days. Clearing the task is safe.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from nightjar.build import code_sha
from nightjar.catalog import CatalogHook
from nightjar.expiry import ExpiryHook
from nightjar.jobs.sagemaker import RegistryHook
from nightjar.notes import add_note
from nightjar.outcomes import outcomes
from nightjar.params import dry_run_param, optional_number_param, require_known_params
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import NothingToDoError, RefusedError, UserError
from include.lake import resources
from include.pipelines.retention.expire import Expired, Retention, RetentionRequest
from include.settings import settings
from include.workloads import Workload, discover, load

PARAMS = {
    "older_than_days": optional_number_param(
        "Expire what is older than this many days. Empty: what workload.yaml says.", 180, minimum=0
    ),
    "dry_run": dry_run_param(),
}


@task(execution_timeout=timedelta(hours=1), multiple_outputs=False)
def expire(workload: str, dag_run: Any = None, params: Any = None) -> list[Expired]:
    """Deletes what nothing needs; returns it."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    config = settings()
    catalog, state = CatalogHook(config.glue_database), StateHook(config.state_table)
    registry = RegistryHook(resources.model_group(workload), region_name=config.region)
    request = RetentionRequest(datetime.now(UTC), params["older_than_days"], params["dry_run"])
    with outcomes(skip=NothingToDoError, fail=(RefusedError, UserError)):
        found = Retention(load(workload), config, ExpiryHook(), catalog, state, registry).run(request)
    add_note(f"{len(found)} prefixes expired, {sum(one['bytes'] for one in found)} bytes")
    return found


def retention(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_retention``."""
    name = workload.name
    with DAG(
        dag_id=f"{name}_retention",
        description="expires transform runs and data sets that nothing needs",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("0 5 * * 0", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        params=PARAMS,
        **dag_options("retention", name, workload.owner, settings().alerts_topic_arn),
    ) as dag:
        expire(name)
    return dag


for _workload in discover(only=parsed_subject("retention"))[0]:
    retention(_workload)
