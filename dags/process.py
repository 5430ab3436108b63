"""### raw → published: transform, audit, gate, publish one workload's day, daily at 00:30.

**Inputs**: the raw objects that the day's markers name, and all objects of the reference tables. The run waits until
the watermarks (state table) of the stream and of the tables have passed the day.

**Outputs**: `staging/<workload>/<run>/` in the lake, Data Docs in the artifact bucket and, for a day that passed the
gate, the catalog's partitions and the day's item in the state table. Readers never see unaudited rows.

**How it ends**: a day without raw data, or published from the same inputs and code before, is *skipped*. A refused day
makes the run red and leaves what was published before; in a range, the good days are published first.

**Cautions.** A range (`date` to `end_date`) is one transform and one audit. To run a failed job again, clear its submit
task. Clearing an older run replaces nothing newer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, TriggerRule, task
from nightjar.build import code_sha
from nightjar.catalog import CatalogHook
from nightjar.jobs import JobSensor, StopJobsOperator
from nightjar.jobs.glue import GlueRun, SubmitGlueJobOperator
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import date_param, flag_param
from nightjar.runs import attempt_of, dag_options, output, state_waiting, waiting
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor

from include.build import BUILD_FILE
from include.errors import NothingToDoError, RefusedError, UserError
from include.lake import days, layout
from include.pipelines.ingest.watermark import watermark_status
from include.pipelines.process.gate import gate_days, require_no_refused_day
from include.pipelines.process.jobs import audit_arguments, transform_arguments
from include.pipelines.process.plan import PlanRequest, plan_days
from include.pipelines.process.publish import publish_days
from include.pipelines.process.types import GateResult, ProcessPlan
from include.pipelines.rundate import run_days
from include.settings import settings
from include.workloads import Workload, discover, load

RAW_DEADLINE = timedelta(hours=6)
JOB_SECONDS = 2 * 3600
CUTOFF = "cutoff(run_days(dag_run.data_interval_start, params)[-1])"
RUN = attempt_of("submit_transform")
PARAMS = {
    "date": date_param("Day to process. Empty: the run's interval."),
    "end_date": date_param("Last day of a range. Empty: one day."),
    "fresh": flag_param("Run the jobs again even if they succeeded before, and publish again."),
    "dry_run": flag_param("Only report what would be done."),
}


@task(multiple_outputs=True)
def plan(workload: str, dag_run: Any = None, params: Any = None) -> ProcessPlan:
    """Lists the raw objects of the days that are not published from them."""
    config, sha, present = settings(), code_sha(BUILD_FILE), datetime.now(UTC)
    fresh, dry_run = params["fresh"], params["dry_run"]
    with outcomes(skip=NothingToDoError, fail=(RefusedError, UserError)):
        request = PlanRequest(run_days(dag_run.data_interval_start, params), present, sha, fresh, dry_run)
        return plan_days(
            load(workload), request, config, objects=ObjectStoreHook(), state=StateHook(config.state_table)
        )


@task(multiple_outputs=False)
def gate(workload: str, planned: ProcessPlan, run: str) -> GateResult:
    """Evaluates each day by the audit's result; fails if no day passes."""
    bucket, objects, state = settings().lake_bucket, ObjectStoreHook(), StateHook(settings().state_table)
    with outcomes(fail=RefusedError):
        return gate_days(workload, planned, run, bucket, objects=objects, state=state)


@task(pool="nightjar_publish")
def publish(workload: str, planned: ProcessPlan, run: str, gated: GateResult) -> list[str]:
    """Points the catalog's partitions of the days that passed at the run's files."""
    config = settings()
    catalog, state = CatalogHook(config.glue_database), StateHook(config.state_table)
    with outcomes(skip=NothingToDoError, fail=RefusedError):
        return publish_days(load(workload), planned, run, gated, config.lake_bucket, catalog=catalog, state=state)


# Runs if only publish was skipped; is skipped if every upstream task was.
@task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
def refused_days(gated: GateResult) -> None:
    """Ends the run red if the gate refused a day, though the others are published."""
    with outcomes(fail=RefusedError):
        require_no_refused_day(gated)


def process(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_process``."""
    name, config = workload.name, settings()
    jobs = {"transform": config.glue_transform_job, "audit": config.glue_audit_job}
    asset = Asset(name=f"{name}_processed", uri=f"nightjar://{name}/processed")
    wait = waiting(config.poll_seconds, JOB_SECONDS)
    with DAG(
        dag_id=f"{name}_process",
        description="raw → transform → audit → gate → published",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("30 0 * * *", timezone="UTC"),
        max_active_runs=2,
        dagrun_timeout=timedelta(hours=12),
        params=PARAMS,
        render_template_as_native_obj=True,
        user_defined_macros={"run_days": run_days, "cutoff": days.cutoff},
        **dag_options("process", name, workload.owner, config.alerts_topic_arn),
    ) as dag:
        wait_raw = StateSensor(
            task_id="wait_raw",
            table=config.state_table,
            keys=[layout.watermark_key(name, source) for source in (workload.stream.name, *workload.tables)],
            check=watermark_status,
            arguments={"at_least": f"{{{{ {CUTOFF} }}}}"},
            unmet=f"Raw data is not complete up to {{{{ {CUTOFF}.isoformat() }}}}",
            advice="Run the ingest DAGs up to that instant, then clear this task.",
            **state_waiting(config.poll_seconds, RAW_DEADLINE),
        )
        planned: Any = plan(name)
        start_transform = SubmitGlueJobOperator(
            task_id="submit_transform",
            job_name=jobs["transform"],
            submit_key=planned["submit_key"],
            fresh="{{ params.fresh }}",
            arguments=transform_arguments(name, planned, config),
        )
        run: Any = output(start_transform, "submit_key")
        transform = JobSensor(task_id="transform", job=GlueRun(jobs["transform"], output(start_transform)), **wait)
        start_audit = SubmitGlueJobOperator(
            task_id="submit_audit",
            job_name=jobs["audit"],
            submit_key=f"{RUN}-audit",
            arguments=audit_arguments(name, planned, RUN, config),
        )
        audit = JobSensor(task_id="audit", job=GlueRun(jobs["audit"], output(start_audit)), **wait)
        gated: Any = gate(name, planned, run)
        wait_raw >> planned >> start_transform >> transform >> start_audit >> audit >> gated
        publish.override(outlets=[asset])(name, planned, run, gated) >> refused_days(gated)
        [transform, audit] >> StopJobsOperator(task_id="stop_jobs", jobs=[transform.job, audit.job]).as_teardown()
    return dag


for _workload in discover()[0]:
    process(_workload)
