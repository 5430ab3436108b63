"""# Retrain a model on the newest day

Every night: the data set as it was known at the end of the day, a model trained on it, judged against the live one, registered.

**Runs** at 02:00 UTC for the day its data interval begins with, or for the Param `date`. A backfilled night is registered as
such, deploys nothing and alarms nobody. Waits until the day is published; refused, or absent by the deadline, is red.

**Cautions.** A job is submitted once and then sensed: clearing a *sense* task costs nothing, clearing a *submit* task starts a
failed job's next attempt. `stop_jobs` stops what still runs when the run is over. `fresh` runs every job anew.

**Ends** with a model package: Approved (or waiting for a person, by the workload's policy) or Rejected, with the reasons. An
approved one triggers the deploy.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.build import code_sha
from nightjar.hooks.night import night_hooks
from nightjar.jobs.athena.results import query_rows
from nightjar.jobs.athena.sensor import AthenaQuerySensor
from nightjar.jobs.athena.submit import SubmitAthenaQueryOperator
from nightjar.jobs.sagemaker.sensor import ProcessingJobSensor, TrainingJobSensor
from nightjar.jobs.sagemaker.submit import SubmitProcessingJobOperator, SubmitTrainingJobOperator
from nightjar.jobs.stop import StopJobsOperator
from nightjar.objects import ObjectStoreHook
from nightjar.operators.announce import AnnounceVersionOperator
from nightjar.params import date_param, flag_param
from nightjar.runs import dag_options, pulled, state_waiting, waiting
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor

from include.build import BUILD_FILE
from include.errors import RefusedError
from include.lake import layout
from include.pipelines.process.days import day_status
from include.pipelines.raw_inputs import list_inputs
from include.pipelines.retrain import run as night
from include.pipelines.rundate import run_day
from include.settings import settings
from include.workloads import Workload, discover, load

DAY_DEADLINE = timedelta(hours=6)
QUERY_SECONDS = 3600
QUEUE_SECONDS = 3600  # how long a SageMaker job may wait for its instance, on top of its own time limit
FRESH = "{{ params.fresh }}"
DAY = "{{ run_day(dag_run.data_interval_start, params) }}"
JOBS = {"dataset": "athena", "digest": "athena", "training": "training", "evaluation": "processing"}
PARAMS = {
    "date": date_param("The day to train for, like 2013-03-01; empty: the data interval's"),
    "fresh": flag_param("Run every job anew, though its result is there"),
    "dry_run": flag_param("Build and check the data set, train nothing"),
}


def hooks(workload: str) -> dict[str, Any]:
    """What the night's functions speak to AWS with."""
    return night_hooks(layout.model_group(workload), settings().state_table, settings().region)


@task(multiple_outputs=True)
def plan(workload: str, dag_run: Any = None, params: Any = None) -> dict[str, Any]:
    """Cut-off, queries and their submit key."""
    sha, day = code_sha(BUILD_FILE), run_day(dag_run.data_interval_start, params)
    return night.plan(load(workload), day, settings(), sha, StateHook(settings().state_table))


@task(multiple_outputs=True)
def prepare(
    name: str,
    planned: dict[str, Any],
    dataset_key: str,
    digest: dict[str, Any],
    dag_run: Any = None,
    params: Any = None,
) -> dict[str, Any]:
    """The data set's manifest and gate; the requests of the two jobs."""
    config, workload, backfill = settings(), load(name), dag_run.run_type == "backfill"
    rows, marked = query_rows(digest["query_execution_id"], config.region), night.markers(workload, planned["cutoff"])
    raw_key, tables = partial(layout.marked_raw_key, name, workload.stream.name), night.table_prefixes(workload)
    inputs = list_inputs(ObjectStoreHook(), config.lake_bucket, marked, raw_key, tables)
    try:
        prepared = night.prepare(workload, planned, dataset_key, rows, inputs, config, backfill=backfill, **hooks(name))
    except night.Unfit as error:
        raise AirflowFailException(str(error)) from None
    if params["dry_run"]:
        raise AirflowSkipException(
            f"Dry run: would train on data set {prepared['dataset_version']}, {prepared['splits']} rows."
        )
    return prepared


@task
def register(workload: str, planned: dict[str, Any], prepared: dict[str, Any], jobs: dict[str, Any]) -> dict[str, Any]:
    """The decision, and the model package."""
    return night.judge(load(workload), planned, prepared, jobs, settings(), **hooks(workload))


def retrain(workload: Workload) -> DAG:
    """The DAG ``<workload>_retrain``."""
    name, config = workload.name, settings()
    query_wait = waiting(config.poll_seconds, QUERY_SECONDS)
    job_wait = waiting(config.poll_seconds, workload.model.max_runtime_seconds + QUEUE_SECONDS)
    query = {"database": config.glue_database, "workgroup": config.athena_workgroup, "fresh": FRESH}
    with DAG(
        f"{name}_retrain",
        doc_md=__doc__,
        description="published days → data set → training → evaluation → decision → model package",
        schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=20),
        params=PARAMS,
        user_defined_macros={"run_day": run_day},
        **dag_options("retrain", name, workload.owner, config.alerts_topic_arn, region_name=config.region),
    ) as dag:
        wait_day = StateSensor(
            task_id="wait_day",
            table=config.state_table,
            keys=[(layout.day_partition_key(name), DAY)],
            check=day_status,
            fail=RefusedError,
            unmet=f"Day {DAY} was neither published nor refused",
            advice="Look at the process DAG's run of that day, then clear this task.",
            **state_waiting(config.poll_seconds, DAY_DEADLINE),
        )
        planned = plan(name)
        unload = SubmitAthenaQueryOperator(
            task_id="submit_dataset", query=planned["dataset_query"], submit_key=pulled("plan", "key"), **query
        )
        dataset = AthenaQuerySensor(task_id="sense_dataset", query_execution_id=unload.output, **query_wait)
        count = SubmitAthenaQueryOperator(
            task_id="submit_digest",
            query=planned["digest_query"],
            submit_key=pulled("plan", "key") + "-digest",
            **query,
        )
        digest = AthenaQuerySensor(task_id="sense_digest", query_execution_id=count.output, **query_wait)
        prepared = prepare(name, planned, unload.output["submit_key"], digest.output)
        train = SubmitTrainingJobOperator(
            task_id="submit_training",
            submit_key=pulled("prepare", "training_name"),
            fresh=FRESH,
            config=prepared["training"],
        )
        training = TrainingJobSensor(task_id="sense_training", job_name=train.output, **job_wait)
        evaluate = SubmitProcessingJobOperator(
            task_id="submit_evaluation",
            submit_key=pulled("prepare", "evaluation_name"),
            fresh=FRESH,
            config=prepared["evaluation"],
            references={"model_uri": pulled("sense_training", "model_uri")},
        )
        evaluation = ProcessingJobSensor(task_id="sense_evaluation", job_name=evaluate.output, **job_wait)
        jobs = {
            "dataset": dataset.output,
            "digest": digest.output,
            "training": training.output,
            "evaluation": evaluation.output,
        }
        package = register(name, planned, prepared, jobs)
        announce = AnnounceVersionOperator(
            task_id="announce", package=package, outlets=[Asset(f"nightjar://{name}/approved-model")]
        )
        submitted = [{"kind": kind, "id": pulled(f"submit_{stage}")} for stage, kind in JOBS.items()]
        stop = StopJobsOperator(task_id="stop_jobs", jobs=submitted).as_teardown()
        wait_day >> planned >> [unload, count]
        unload >> dataset >> prepared >> train >> training >> evaluate >> evaluation >> package >> announce
        count >> digest
        [dataset, digest, training, evaluation] >> stop
    return dag


for _workload in discover()[0]:
    retrain(_workload)
