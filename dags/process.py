"""### raw → published: transform, audit, gate, publish one workload's day, each night at the time in `workload.yaml`.

**Inputs**: the raw objects that the day's markers name, and all of the reference tables. The run waits until the
watermarks of the stream and of the tables have passed the day. Days of the late window (`dataset.late_days`) whose
events arrived after they were processed are taken along; earlier ones are named in a warning. **Outputs**:
`staging/<workload>/<run>/` in the lake, Data Docs and, for a day that passed the gate, partitions and state item.
**How it ends**: a day without raw data, or published from the same inputs and code, is *skipped*; a person's run of a
day without raw data fails at once. A refused day makes the run red, keeps what was published, and stops no other day.
It waits with publishing while a run of the retrain DAG reads its data set.
**Cautions.** A range is one transform and one audit. A backfill takes no `date`. To repeat a job, clear its submit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, TriggerRule, task
from nightjar.active_runs import RUNNING, NoActiveRunsSensor
from nightjar.bounded import cron_schedule
from nightjar.build import code_sha
from nightjar.callbacks import publish_warnings
from nightjar.catalog import CatalogHook
from nightjar.jobs import JobLedger, StopJobsOperator, submit_and_sense
from nightjar.jobs.glue import SubmitGlueJobOperator
from nightjar.links import add_pages, linked
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import date_param, dry_run_param, flag_param, object_param, require_known_params
from nightjar.runs import attempt_of, dag_options, output, parsed_subject, pulled, state_waiting, waiting
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor

from include.build import BUILD_FILE, process_code
from include.errors import NothingToDoError, RefusedError, UserError
from include.lake.days import parse_day
from include.pipelines import process as pipeline
from include.pipelines.reading import READS_NO_DAY
from include.settings import settings
from include.workloads import Workload, discover, load

RAW_DEADLINE, READ_DEADLINE, RUN_LIMIT, JOB_SECONDS = *(timedelta(hours=limit) for limit in (6, 3, 12)), 2 * 3600
READERS = {"states": [RUNNING], "ignored_tasks": READS_NO_DAY, "advice": "End them, then clear this task."}
RUN, GLUE = attempt_of("submit_transform"), SubmitGlueJobOperator
PARAMS = {
    "date": date_param(f"Day to process. Empty: {pipeline.TO_PROCESS[settings().default_day]}."),
    "end_date": date_param("Last day of a range that begins with date. Empty: that one day.", "2013-03-07"),
    "fresh": flag_param("Run the jobs again even if they succeeded before, and publish again."),
    "dry_run": dry_run_param(),
    "override": object_param(*pipeline.OVERRIDE_FORM),
}


@task
def choose_days(workload: str, dag_run: Any = None, params: Any = None) -> pipeline.ChosenDays:
    """Chooses the days; fails at once if the run's Params are wrong, or a person's run has no data to wait for."""
    require_known_params(dag_run, params)
    config, present = settings(), datetime.now(UTC)
    with outcomes(fail=(RefusedError, UserError)):
        pipeline.parse_override(params["override"], present, dag_run.triggering_user_name)
        choice = pipeline.DayChoice(load(workload), config, present, ObjectStoreHook(), StateHook(config.state_table))
        chosen = choice.to_process(dag_run, params)
        pipeline.require_compatible_schema(load(workload), CatalogHook(config.glue_database))
    if params["dry_run"]:  # here, so that it waits for nothing: the plan reports and skips
        plan.function(workload, chosen["days"], dag_run, params)
    return noted(chosen, pipeline.notes.chosen)


@task(multiple_outputs=True)
def plan(workload: str, days: list[str], dag_run: Any = None, params: Any = None) -> pipeline.ComparedPlan:
    """Lists the raw objects of the days that are not published from them, and the days to compare with."""
    config, sha, present = settings(), code_sha(BUILD_FILE), datetime.now(UTC)
    stores: Any = {"objects": ObjectStoreHook(), "state": StateHook(config.state_table)}
    with outcomes(skip=NothingToDoError, fail=(RefusedError, UserError)):
        shared, chosen = process_code(BUILD_FILE), [parse_day(day) for day in days]
        override = pipeline.parse_override(params["override"], present, dag_run.triggering_user_name)
        request = pipeline.PlanRequest(chosen, present, sha, shared, params["fresh"], params["dry_run"])
        planned = pipeline.plan_and_compare(load(workload), request, override, config, **stores)
    return noted(planned, pipeline.notes.planned)


@task(multiple_outputs=False)
def gate(workload: str, planned: pipeline.ComparedPlan, run: str, dag_run: Any = None) -> pipeline.GateResult:
    """Evaluates each day by the audit's result, and publishes warnings; fails if no day passes."""
    config, state = settings(), StateHook(settings().state_table)
    add_pages(pipeline.notes.audit_pages(workload, run, config.artifact_bucket))
    with outcomes(fail=RefusedError):
        gated = pipeline.gate_days(workload, planned, run, config.lake_bucket, objects=ObjectStoreHook(), state=state)
    subject = f"Nightjar: warnings on days of {workload}"
    if publish_warnings(config.alerts_topic_arn, subject, gated["warnings"], dag_run):
        pipeline.remember_reported(workload, planned["unprocessed"], state)
    return gated


@task(pool="nightjar_publish")
def publish(workload: str, planned: pipeline.ComparedPlan, run: str, gated: pipeline.GateResult) -> list[str]:
    """Points the catalog's partitions of the days that passed at the run's files."""
    config, declared = settings(), load(workload)
    catalog, state = CatalogHook(config.glue_database), StateHook(config.state_table)
    add_pages(pipeline.notes.audit_pages(workload, run, config.artifact_bucket))
    with outcomes(skip=NothingToDoError, fail=RefusedError):
        days = pipeline.publish_days(declared, planned, run, gated, config.lake_bucket, catalog=catalog, state=state)
    return noted(days, pipeline.notes.published)


# Runs if only publish was skipped; is skipped if every upstream task was.
@task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
def refused_days(
    workload: str, planned: pipeline.ComparedPlan, gated: pipeline.GateResult, jobs: pipeline.FinishedJobs
) -> None:
    """Records what the run took; ends the run red if the gate refused a day, though the others are published."""
    pipeline.measure_run(workload, planned, gated["run"], jobs, datetime.now(UTC), StateHook(settings().state_table))
    with outcomes(fail=RefusedError):
        pipeline.require_no_refused_day(gated)


def process(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_process``."""
    name, config, when = workload.name, settings(), workload.schedule
    early = when.head_start(when.process)  # the UTC day ends later than the local one
    asset = Asset(name=f"{name}_processed", uri=f"nightjar://{name}/processed")
    ledger = JobLedger(config.state_table, pipeline.JobAccounts(name))
    wait = waiting(config.poll_seconds, workload.jobs.glue_seconds(JOB_SECONDS))
    with DAG(
        dag_id=f"{name}_process",
        description="raw → transform → audit → gate → published",
        doc_md=__doc__,
        schedule=cron_schedule(when.process, when.timezone, config.nights_file, name),
        dagrun_timeout=config.wait_limit(RUN_LIMIT + early),
        params=PARAMS,
        render_template_as_native_obj=True,
        **dag_options("process", name, workload.owner, config.alerts_topic_arn, ledger=ledger) | when.dag_options(),
    ) as dag:
        chosen: Any = choose_days(name)
        wait_raw = StateSensor(
            task_id="wait_raw",
            table=config.state_table,
            unmet=f"Raw data is not complete up to {pulled('choose_days', 'cutoff')}",
            **pipeline.raw_wait(workload, chosen["cutoff"]),
            **state_waiting(config.poll_seconds, config.wait_limit(RAW_DEADLINE + early), patience=5),
        )
        planned: Any = plan(name, chosen["days"])
        transformed: Any = pipeline.transform_arguments(name, planned, config)
        job: Any = {"job_name": config.glue_transform_job, "size": workload.jobs.transform.request()}
        job |= {"arguments": transformed, "submit_key": planned["submit_key"], "fresh": "{{ params.fresh }}"}
        start_transform, transform = submit_and_sense("transform", GLUE, wait, sense_id="transform", **job)
        run: Any = output(start_transform, "submit_key")
        audited = pipeline.audit_arguments(name, planned, RUN, planned["recent"], config)
        job = {"job_name": config.glue_audit_job, "size": workload.jobs.audit.request(), "arguments": audited}
        job["submit_key"] = f"{RUN}-audit-{pulled('plan', 'recent_key')}"
        start_audit, audit = submit_and_sense("audit", GLUE, wait, sense_id="audit", **job)
        gated: Any = linked(gate(name, planned, run), pipeline.notes.DATA_DOCS)
        limit = state_waiting(config.poll_seconds, READ_DEADLINE)
        readers: Any = {"other_dag_id": f"{name}_retrain", **READERS, **limit}
        wait_retrain = NoActiveRunsSensor(task_id="wait_retrain", **readers)  # its data set must be of one publication
        wait_raw >> planned >> start_transform
        transform >> start_audit
        published: Any = publish.override(outlets=[asset])(name, planned, run, gated)
        jobs: Any = {"transform": output(transform), "audit": output(audit)}
        audit >> gated >> wait_retrain >> published
        linked(published, pipeline.notes.DATA_DOCS) >> refused_days(name, planned, gated, jobs)
        [transform, audit] >> StopJobsOperator(task_id="stop_jobs", jobs=[transform.job, audit.job]).as_teardown()
    return dag


for _workload in discover(only=parsed_subject("process"))[0]:
    process(_workload)
