"""### raw → published: transform, audit, gate, publish one workload's day, daily at 00:30

**Inputs**: the raw objects that the day's markers name, and all objects of the reference tables. Waits until the stream is
complete in raw for the day (its watermark in the state table); of each table a snapshot must exist.

**Outputs**: `staging/<workload>/<run>/` in the lake, Data Docs in the artifact bucket, and, for a day that passed the gate, the
catalog's partitions and the state table's day item, which `retrain` waits for. Readers never see unaudited rows.

**How it ends**: a day without raw data, or published from the same inputs and code already, is *skipped* with a text. A refused
day makes the run red and leaves what was published before; in a range the good days are published first.

**Cautions.** A range (`date` to `end_date`) is one transform and one audit; Airflow's own backfill makes a run a day. Clearing a
sensor costs nothing; to run a failed job again clear its submit task. An older run that is cleared replaces nothing newer.
"""

from __future__ import annotations

from datetime import date, timedelta

from airflow.sdk import DAG, Asset, TriggerRule
from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
from nightjar.jobs.glue.sensor import GlueJobRunSensor
from nightjar.jobs.glue.submit import SubmitGlueJobOperator
from nightjar.jobs.stop import StopJobsOperator
from nightjar.operators.plan import PlanOperator
from nightjar.operators.publish import GateOperator, PublishDaysOperator, RefusedDaysOperator
from nightjar.params import date_param, flag_param
from nightjar.runs import attempt_of, dag_options, pulled, state_waiting, waiting
from nightjar.state.sensor import WatermarkSensor

from include.build import BUILD_FILE
from include.lake import days, fingerprint, layout
from include.pipelines.rundate import run_days
from include.settings import settings
from include.workloads import Workload, discover, schema
from include.workloads.tables import published_tables

RAW_DEADLINE = timedelta(hours=6)
JOB_SECONDS = 2 * 3600
RUN = attempt_of("submit_transform")
SUBMIT_KEY = "${submit_key}"  # the submit operator puts the attempt's key in its place
PARAMS = {
    "date": date_param("Day to process. Empty: the run's interval."),
    "end_date": date_param("Last day of a range. Empty: one day."),
    "fresh": flag_param("Run the jobs again though they succeeded, and publish again."),
    "dry_run": flag_param("Only say what would be done."),
}


def process(workload: Workload) -> DAG:
    """The DAG ``<workload>_process``."""
    name, stream, platform = workload.name, workload.stream.name, settings()
    lake, artifact = f"s3://{platform.lake_bucket}/", f"s3://{platform.artifact_bucket}/"
    glue_job = {"transform": platform.glue_transform_job, "audit": platform.glue_audit_job}
    day_pk = layout.day_key(name, date.min)[0]
    job_wait = waiting(platform.poll_seconds, JOB_SECONDS)
    with DAG(
        dag_id=f"{name}_process",
        description="raw → transform → audit → gate → published",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("30 0 * * *", timezone="UTC"),
        max_active_runs=2,
        dagrun_timeout=timedelta(hours=12),
        params=PARAMS,
        user_defined_macros={"run_days": run_days, "format_days": days.format_days, "cutoff": days.cutoff},
        **dag_options("process", name, workload.owner, platform.alerts_topic_arn),
    ) as dag:
        wait_raw = WatermarkSensor(
            task_id="wait_raw",
            table=platform.state_table,
            pk=layout.watermark_key(name, stream)[0],
            sources=[stream],
            at_least="{{ cutoff(run_days(dag_run.data_interval_start, params)[-1]).isoformat() }}",
            **state_waiting(platform.poll_seconds, RAW_DEADLINE),
        )
        plan = PlanOperator(
            task_id="plan",
            days="{{ format_days(run_days(dag_run.data_interval_start, params)) }}",
            fresh="{{ params.fresh }}",
            dry_run="{{ params.dry_run }}",
            workload=name,
            stream=stream,
            tables=list(workload.tables),
            job=glue_job["transform"],
            lake_bucket=platform.lake_bucket,
            artifact_bucket=platform.artifact_bucket,
            state_table=platform.state_table,
            layout=layout,
            fingerprint=fingerprint,
            build_file=BUILD_FILE,
        )
        arguments = {"--workload": name, "--days": pulled("plan", "days_text")}
        submit_transform = SubmitGlueJobOperator(
            task_id="submit_transform",
            job_name=glue_job["transform"],
            submit_key=pulled("plan", "submit_key"),
            fresh="{{ params.fresh }}",
            arguments={
                **arguments,
                "--inputs": pulled("plan", "inputs"),
                "--staging": lake + layout.staging_prefix(name, SUBMIT_KEY),
                "--quarantine": lake + layout.quarantine_run_prefix(name, SUBMIT_KEY),
                "--code-sha": pulled("plan", "code_sha"),
            },
        )
        transform = GlueJobRunSensor(
            task_id="transform", job_name=glue_job["transform"], run_id=submit_transform.output, **job_wait
        )
        submit_audit = SubmitGlueJobOperator(
            task_id="submit_audit",
            job_name=glue_job["audit"],
            submit_key=f"{RUN}-audit",
            arguments={
                **arguments,
                "--staging": lake + layout.staging_prefix(name, RUN),
                "--docs": artifact + layout.data_docs_prefix(name, RUN),
            },
        )
        audit = GlueJobRunSensor(task_id="audit", job_name=glue_job["audit"], run_id=submit_audit.output, **job_wait)
        judged = {"plan": plan.output, "run": RUN, "state_table": platform.state_table, "day_pk": day_pk}
        gate = GateOperator(
            task_id="gate",
            bucket=platform.lake_bucket,
            audit_key=layout.staging_prefix(name, "{run}") + "audit.json",
            **judged,
        )
        publish = PublishDaysOperator(
            task_id="publish",
            gate=gate.output,
            database=platform.glue_database,
            tables=published_tables(workload, lake),
            partition_column=schema.PARTITION_COLUMN,
            pool="nightjar_publish",
            outlets=[Asset(name=f"{name}_processed", uri=f"nightjar://{name}/processed")],
            **judged,
        )
        refused = RefusedDaysOperator(
            task_id="refused_days",
            gate=gate.output,
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,  # publish may be skipped alone; all skipped is not red
        )
        jobs = [{"kind": "glue", "job_name": job, "id": pulled(f"submit_{stage}")} for stage, job in glue_job.items()]
        stop = StopJobsOperator(task_id="stop_jobs", jobs=jobs).as_teardown()
        wait_raw >> plan >> submit_transform >> transform >> submit_audit >> audit >> gate >> publish >> refused
        [transform, audit] >> stop
    return dag


for _workload in discover()[0]:
    process(_workload)
