"""### raw → published: transform, audit, gate, publish one workload's day, daily at 00:30

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: the raw objects that the day's markers name, and all objects of the reference tables. Waits until the stream is
complete in raw for the day (its watermark in the state table); of each table a snapshot must exist.

**Outputs**: `staging/<workload>/<run>/` in the lake bucket, Great Expectations' Data Docs in the artifact bucket, and, for a day
that passed the gate, the catalog's partitions and the state table's day item, which `retrain` waits for. Readers never see
unaudited rows.

**How it ends**: a day without raw data, or published from the same inputs and code already, is *skipped* with a text. A refused
day makes the run red and leaves what was published before as it is; in a range the good days are published first.

**Cautions**
- A range (`date` to `end_date`) is one transform and one audit; Airflow's own backfill makes a run a day instead.
- Clearing a sensor costs nothing. To run a failed job again clear its submit task.
- `fresh` runs jobs again that succeeded under the same key; nothing is needed for new data, the key changes with it.
- An older run that is cleared does not replace what a newer one published.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule
from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
from nightjar.operators.glue import SubmitGlueJobOperator
from nightjar.operators.plan import PlanOperator
from nightjar.operators.publish import GateOperator, PublishDaysOperator, RefusedDaysOperator
from nightjar.operators.stop import StopJobsOperator
from nightjar.runs import default_args
from nightjar.sensors.glue import GlueJobRunSensor
from nightjar.sensors.state import WatermarkSensor

import include
from include.lake import days, fingerprint, layout, schema
from include.rundate import run_day
from include.settings import settings
from include.workloads import Workload, discover

RAW_DEADLINE = timedelta(hours=6)
JOB_TIME = timedelta(hours=2)
PLAN = "{{{{ ti.xcom_pull(task_ids='plan')['{}'] }}}}"
SUBMITTED = "{{{{ ti.xcom_pull(task_ids='submit_{}') }}}}"
RUN = "{{ ti.xcom_pull(task_ids='submit_transform', key='submit_key') }}"
SUBMIT_KEY = "${submit_key}"  # the submit operator puts the attempt's key in its place


def days_of(dag_run: Any, params: Any) -> list[date]:
    """The days a run is about: its date, up to the Param ``end_date`` where there is one."""
    first = run_day(dag_run.data_interval_start, params)
    return days.day_range(first, days.parse_day(params["end_date"]) if params["end_date"] else first)


def process(workload: Workload) -> DAG:
    """The DAG ``<workload>_process``."""
    name, stream, platform = workload.name, workload.stream.name, settings()
    lake, artifact = f"s3://{platform.lake_bucket}/", f"s3://{platform.artifact_bucket}/"
    glue_job = {"transform": platform.glue_transform_job, "audit": platform.glue_audit_job}
    day_pk = layout.day_key(name, date.min)[0]
    waiting = {"poll_seconds": platform.poll_seconds, "timeout": JOB_TIME.total_seconds(), "execution_timeout": JOB_TIME}
    tables = {
        layout.table_name(name, event): {
            "columns": schema.processed_columns(workload, event),
            "location": lake + layout.staging_prefix(name, "none") + event,  # partitions have locations of their own
            "partition": lake + layout.partition_prefix(name, "{run}", event, "{day}"),
        }
        for event in workload.events
    }

    with DAG(
        dag_id=f"{name}_process",
        description="raw → transform → audit → gate → published",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("30 0 * * *", timezone="UTC"),
        start_date=datetime(2013, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=2,
        dagrun_timeout=timedelta(hours=12),
        tags=["nightjar", "process", name],
        default_args=default_args(workload.owner, platform.alerts_topic_arn),
        user_defined_macros={"days_of": days_of, "format_days": days.format_days, "cutoff": days.cutoff},
        params={
            "date": Param(None, type=["null", "string"], format="date", description="Day to process. Empty: the run's interval."),
            "end_date": Param(None, type=["null", "string"], format="date", description="Last day of a range. Empty: one day."),
            "fresh": Param(False, type="boolean", description="Run the jobs again though they succeeded, and publish again."),
            "dry_run": Param(False, type="boolean", description="Only say what would be done."),
        },
    ) as dag:
        wait_raw = WatermarkSensor(
            task_id="wait_raw",
            table=platform.state_table,
            pk=layout.watermark_key(name, stream)[0],
            sources=[stream],
            at_least="{{ cutoff(days_of(dag_run, params)[-1]).isoformat() }}",
            deadline_seconds=RAW_DEADLINE.total_seconds(),
            poll_seconds=platform.poll_seconds,
            execution_timeout=RAW_DEADLINE + timedelta(hours=1),
        )
        plan = PlanOperator(
            task_id="plan",
            days="{{ format_days(days_of(dag_run, params)) }}",
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
            build_file=Path(include.__file__).with_name("_build.json"),
        )
        arguments = {"--workload": name, "--days": PLAN.format("days_text")}
        submit_transform = SubmitGlueJobOperator(
            task_id="submit_transform",
            job_name=glue_job["transform"],
            submit_key=PLAN.format("submit_key"),
            fresh="{{ params.fresh }}",
            arguments={
                **arguments,
                "--inputs": PLAN.format("inputs"),
                "--staging": lake + layout.staging_prefix(name, SUBMIT_KEY),
                "--quarantine": lake + layout.quarantine_run_prefix(name, SUBMIT_KEY),
                "--code-sha": PLAN.format("code_sha"),
            },
        )
        transform = GlueJobRunSensor(
            task_id="transform", job_name=glue_job["transform"], run_id=submit_transform.output, **waiting
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
        audit = GlueJobRunSensor(task_id="audit", job_name=glue_job["audit"], run_id=submit_audit.output, **waiting)
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
            tables=tables,
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
        jobs = [{"kind": "glue", "job_name": job, "id": SUBMITTED.format(stage)} for stage, job in glue_job.items()]
        stop = StopJobsOperator(task_id="stop_jobs", jobs=jobs).as_teardown()
        wait_raw >> plan >> submit_transform >> transform >> submit_audit >> audit >> gate >> publish >> refused
        [transform, audit] >> stop
    return dag


for _workload in discover()[0]:
    process(_workload)
