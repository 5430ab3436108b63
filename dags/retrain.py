"""# Retrain a model on the newest day

Every night: the data set as it was known at the end of the day, a model trained on it, judged against the one that is live,
and registered.

**Runs** at 02:00 UTC for the day that its data interval begins with, or for the Param `date`. Native backfill works; a
backfilled night is registered as such, deploys nothing and alarms nobody.

| Param | means |
|---|---|
| `date` | the day, like 2013-03-01; nothing: the data interval's |
| `fresh` | run every job anew, though its result is there |
| `dry_run` | build and check the data set, train nothing |

Waits until the day is published; refused, or absent by the deadline, is red and nothing is trained. Every job is submitted
once and then sensed: clearing a *sense* task costs nothing, clearing a *submit* task starts a failed job's next attempt. What
still runs when the run is over is stopped by `stop_jobs`.

**Ends** with a model package: Approved (or waiting for a person, by the workload's policy) or Rejected, with the reasons. An
approved one triggers the deploy.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.build import code_sha
from nightjar.callbacks import notify_failure
from nightjar.hooks.athena import query_rows
from nightjar.hooks.lake import LakeHook
from nightjar.hooks.registry import RegistryHook
from nightjar.hooks.state import StateHook
from nightjar.inputs import list_inputs
from nightjar.operators.athena import SubmitAthenaQueryOperator
from nightjar.operators.sagemaker import SubmitProcessingJobOperator, SubmitTrainingJobOperator
from nightjar.operators.stop import StopJobsOperator
from nightjar.runs import default_args
from nightjar.sensors.athena import AthenaQuerySensor
from nightjar.sensors.sagemaker import ProcessingJobSensor, TrainingJobSensor
from nightjar.sensors.state import DayStatusSensor

import include
from include.lake import layout
from include.registry import night
from include.rundate import run_day
from include.settings import settings
from include.workloads import Workload, discover, load

BUILD_FILE = Path(include.__file__).with_name("_build.json")
DAY_DEADLINE_SECONDS = 6 * 3600
QUERY_SECONDS = 3600
QUEUE_SECONDS = 3600  # how long a SageMaker job may wait for its instance, on top of its own time limit
PARAMS = {
    "date": Param(None, type=["null", "string"], format="date", description="The day to train for; empty: the data interval's"),
    "fresh": Param(False, type="boolean", description="Run every job anew, though its result is there"),
    "dry_run": Param(False, type="boolean", description="Build and check the data set, train nothing"),
}


def pulled(task_id: str, path: str = "") -> str:
    """Jinja for what a task returned, or an entry of it."""
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}'){path} }}}}"


def alarm(context: Any) -> None:
    """Tells of a failure, but not of a backfilled night's."""
    if context["dag_run"].run_type != "backfill":
        notify_failure(settings().alerts_topic_arn)(context)


def waiting(seconds: float) -> dict[str, Any]:
    """How a sensor waits for a job, at most so long."""
    return {"poll_seconds": settings().poll_seconds, "timeout": seconds, "execution_timeout": timedelta(seconds=seconds)}


def hooks(workload: str) -> dict[str, Any]:
    """What the night's functions speak to AWS with."""
    versions = RegistryHook(layout.model_group(workload), region_name=settings().region)
    return {"objects": LakeHook(), "state": StateHook(settings().state_table), "versions": versions}


@task(multiple_outputs=True)
def plan(workload: str, dag_run: Any = None, params: Any = None) -> dict[str, Any]:
    """Cut-off, queries and their submit key."""
    sha, day = code_sha(BUILD_FILE), run_day(dag_run.data_interval_start, params)
    return night.plan(load(workload), day, settings(), sha, StateHook(settings().state_table))


@task(multiple_outputs=True)
def prepare(
    name: str, planned: dict[str, Any], dataset_key: str, digest: dict[str, Any], dag_run: Any = None, params: Any = None
) -> dict[str, Any]:
    """The data set's manifest and gate; the requests of the two jobs."""
    config, workload, backfill = settings(), load(name), dag_run.run_type == "backfill"
    rows, marked = query_rows(digest["query_execution_id"], config.region), night.markers(workload, planned["cutoff"])
    raw_key, tables = partial(layout.marked_raw_key, name, workload.stream.name), night.table_prefixes(workload)
    inputs = list_inputs(LakeHook(), config.lake_bucket, marked, raw_key, tables)
    try:
        prepared = night.prepare(workload, planned, dataset_key, rows, inputs, config, backfill=backfill, **hooks(name))
    except night.Unfit as error:
        raise AirflowFailException(str(error)) from None
    if params["dry_run"]:
        raise AirflowSkipException(f"Dry run: would train on data set {prepared['dataset_version']}, {prepared['splits']} rows.")
    return prepared


@task
def register(workload: str, planned: dict[str, Any], prepared: dict[str, Any], jobs: dict[str, Any]) -> dict[str, Any]:
    """The decision, and the model package."""
    return night.judge(load(workload), planned, prepared, jobs, settings(), **hooks(workload))


@task
def announce(package: dict[str, Any]) -> int:
    """Tells the deploy DAG of an approved version."""
    if not package["deployable"]:
        raise AirflowSkipException(
            f"Version {package['version']} is {package['status']}: nothing to deploy. {package['reasons']}"
        )
    return package["version"]


def retrain(workload: Workload) -> DAG:
    """The retrain DAG of one workload."""
    name, config = workload.name, settings()
    approved = Asset(f"nightjar://{name}/approved-model")
    query_wait, job_wait = waiting(QUERY_SECONDS), waiting(workload.model.max_runtime_seconds + QUEUE_SECONDS)
    query = {"database": config.glue_database, "workgroup": config.athena_workgroup, "fresh": "{{ params.fresh }}"}
    with DAG(
        f"{name}_retrain",
        doc_md=__doc__,
        description="published days → data set → training → evaluation → decision → model package",
        schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
        start_date=datetime(2013, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=20),
        tags=["nightjar", "retrain", name],
        params=PARAMS,
        user_defined_macros={"run_day": run_day},
        default_args={
            **default_args(workload.owner, config.alerts_topic_arn),
            "on_failure_callback": alarm,
            "region_name": config.region,
        },
    ) as dag:
        wait_day = DayStatusSensor(
            task_id="wait_day",
            table=config.state_table,
            pk=layout.day_key(name, date.min)[0],
            sk="{{ run_day(dag_run.data_interval_start, params) }}",
            deadline_seconds=DAY_DEADLINE_SECONDS,
            poll_seconds=config.poll_seconds,
            execution_timeout=timedelta(seconds=DAY_DEADLINE_SECONDS + 3600),
        )
        planned = plan(name)
        unload = SubmitAthenaQueryOperator(
            task_id="submit_dataset", query=planned["dataset_query"], submit_key=pulled("plan", "['key']"), **query
        )
        dataset = AthenaQuerySensor(task_id="sense_dataset", query_execution_id=unload.output, **query_wait)
        count = SubmitAthenaQueryOperator(
            task_id="submit_digest", query=planned["digest_query"], submit_key=pulled("plan", "['key']") + "-digest", **query
        )
        digest = AthenaQuerySensor(task_id="sense_digest", query_execution_id=count.output, **query_wait)
        prepared = prepare(name, planned, unload.output["submit_key"], digest.output)
        train = SubmitTrainingJobOperator(
            task_id="submit_training",
            submit_key=pulled("prepare", "['training_name']"),
            fresh="{{ params.fresh }}",
            config=prepared["training"],
        )
        training = TrainingJobSensor(task_id="sense_training", job_name=train.output, **job_wait)
        evaluate = SubmitProcessingJobOperator(
            task_id="submit_evaluation",
            submit_key=pulled("prepare", "['evaluation_name']"),
            fresh="{{ params.fresh }}",
            config=prepared["evaluation"],
            references={"model_uri": pulled("sense_training", "['model_uri']")},
        )
        evaluation = ProcessingJobSensor(task_id="sense_evaluation", job_name=evaluate.output, **job_wait)
        jobs = {"dataset": dataset.output, "digest": digest.output, "training": training.output, "evaluation": evaluation.output}
        package = register(name, planned, prepared, jobs)
        announce.override(outlets=[approved])(package)
        stop = StopJobsOperator(
            task_id="stop_jobs",
            jobs=[
                {"kind": "athena", "id": pulled("submit_dataset")},
                {"kind": "athena", "id": pulled("submit_digest")},
                {"kind": "training", "id": pulled("submit_training")},
                {"kind": "processing", "id": pulled("submit_evaluation")},
            ],
        ).as_teardown()
        wait_day >> planned >> [unload, count]
        unload >> dataset >> prepared >> train >> training >> evaluate >> evaluation >> package
        count >> digest
        [dataset, digest, training, evaluation] >> stop
    return dag


for _workload in discover()[0]:
    retrain(_workload)
