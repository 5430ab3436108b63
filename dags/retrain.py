"""# Retrain a model on the newest day.

Builds the data set as it was known at the end of the day, trains a model, compares it with the live one, registers it.
Runs at 02:00 UTC for the day on which its data interval begins, or for the Param `date`. A day that is refused, or not
published in time, makes the run red. An approved version is deployed, except by a backfilled run. `fresh` runs every
job again. Clearing a *sense* task costs nothing; clearing a *submit* task starts the next attempt of a failed job.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, task
from nightjar.build import code_sha
from nightjar.jobs import JobSensor, StopJobsOperator, athena, sagemaker
from nightjar.jobs.ecs import EcsService
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import date_param, flag_param
from nightjar.runs import dag_options, output, pulled, state_waiting, waiting
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor

from include.build import BUILD_FILE
from include.errors import ConflictError, NothingToDoError, RefusedError, UserError
from include.lake import layout
from include.pipelines import retrain as pipeline
from include.pipelines.process.days import day_status
from include.pipelines.retrain import DatasetPlan, FinishedJobs, PreparedRun, RegisteredPackage, RetrainHooks
from include.pipelines.rundate import run_day
from include.settings import settings
from include.workloads import Workload, discover, load

DAY_DEADLINE, QUERY_SECONDS, QUEUE_SECONDS = timedelta(hours=6), 3600, 3600  # QUEUE: until SageMaker has an instance
FAILURES = (RefusedError, ConflictError, pipeline.LiveStateError)
FRESH = "{{ params.fresh }}"
DAY = "{{ run_day(dag_run.data_interval_start, params).isoformat() }}"
PARAMS = {
    "date": date_param("The day to train for, like 2013-03-01. Empty: the day of the data interval."),
    "fresh": flag_param("Run every job again even if it succeeded before."),
    "dry_run": flag_param("Build and check the data set; train nothing."),
}


def hooks(workload: str) -> RetrainHooks:
    """Returns the AWS hooks that the run's functions take."""
    config, group = settings(), layout.model_group(workload)
    registry = sagemaker.RegistryHook(group, region_name=config.region)
    service = EcsService.connect(config.ecs_cluster, layout.service_name(workload), region_name=config.region)
    return RetrainHooks(ObjectStoreHook(), StateHook(config.state_table), registry, service)


@task
def plan(workload: str, dag_run: Any = None, params: Any = None) -> DatasetPlan:
    """Plans the data set: its cut-off, and its two queries with their submit keys."""
    sha, state = code_sha(BUILD_FILE), StateHook(settings().state_table)
    with outcomes(fail=UserError):
        day = run_day(dag_run.data_interval_start, params)
        return pipeline.plan_dataset(load(workload), day, settings(), sha, state)


@task
def prepare(
    name: str, planned: DatasetPlan, key: str, digest: athena.AthenaQueryResult, dag_run: Any = None, params: Any = None
) -> PreparedRun:
    """Writes the data set's manifest, evaluates its gate and requests the two jobs."""
    rows = athena.query_rows(digest["query_execution_id"], settings().region)
    flags = {"is_backfill": dag_run.run_type == "backfill", "fresh": params["fresh"], "dry_run": params["dry_run"]}
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        return pipeline.prepare(load(name), planned, key, rows, settings(), hooks(name), **flags)


@task
def register(workload: str, planned: DatasetPlan, prepared: PreparedRun, jobs: FinishedJobs) -> RegisteredPackage:
    """Decides on the candidate and registers the model package."""
    with outcomes(fail=FAILURES):
        return pipeline.register(load(workload), planned, prepared, jobs, settings(), hooks(workload))


@task
def announce(package: RegisteredPackage) -> int:
    """Emits the asset for a version that may be deployed without a person; any other is skipped."""
    with outcomes(skip=NothingToDoError):
        return pipeline.deployable_version(package)


def retrain(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_retrain``."""
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
        render_template_as_native_obj=True,
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
        planned: Any = plan(name)
        unload = athena.SubmitAthenaQueryOperator(
            task_id="submit_dataset", query=planned["dataset_query"], submit_key=planned["key"], **query
        )
        sense_dataset = JobSensor(task_id="sense_dataset", job=athena.AthenaQuery(output(unload)), **query_wait)
        count = athena.SubmitAthenaQueryOperator(
            task_id="submit_digest", query=planned["digest_query"], submit_key=planned["digest_key"], **query
        )
        sense_digest = JobSensor(task_id="sense_digest", job=athena.AthenaQuery(output(count)), **query_wait)
        prepared: Any = prepare(name, planned, output(unload, "submit_key"), output(sense_digest))
        train = sagemaker.SubmitTrainingJobOperator(
            task_id="submit_training", submit_key=prepared["training_name"], fresh=FRESH, config=prepared["training"]
        )
        sense_training = JobSensor(task_id="sense_training", job=sagemaker.TrainingJob(output(train)), **job_wait)
        score = sagemaker.SubmitProcessingJobOperator(
            task_id="submit_evaluation",
            submit_key=prepared["evaluation_name"],
            fresh=FRESH,
            config=prepared["evaluation"],
            references={"model_uri": pulled("sense_training", "model_uri")},
        )
        sense_evaluation = JobSensor(task_id="sense_evaluation", job=sagemaker.ProcessingJob(output(score)), **job_wait)
        sensors = [sense_dataset, sense_digest, sense_training, sense_evaluation]
        finished: Any = {sensor.task_id.removeprefix("sense_"): output(sensor) for sensor in sensors}
        announced: Any = announce.override(outlets=[Asset(f"nightjar://{name}/approved-model")])
        announced(register(name, planned, prepared, finished))
        wait_day >> planned >> unload >> sense_dataset >> prepared
        count >> sense_digest
        train >> sense_training >> score >> sense_evaluation
        sensors >> StopJobsOperator(task_id="stop_jobs", jobs=[sensor.job for sensor in sensors]).as_teardown()
    return dag


for _workload in discover()[0]:
    retrain(_workload)
