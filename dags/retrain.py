"""# Retrain a model on the newest day.

Builds the data set as it was known at the end of the day, trains a model (and the trials that the Param `tune` asks
for), compares it with the live one, registers it. Runs at the time in `workload.yaml` for the day before; by hand, for
the Param `date`. A refused or late day makes it red. People are told of a version that waits for approval.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, task
from nightjar.bounded import cron_schedule
from nightjar.build import code_sha
from nightjar.earlier_runs import EarlierRunsSensor
from nightjar.jobs import JobLedger, StopJobsOperator, athena, ecs, sagemaker, submit_and_sense
from nightjar.links import add_pages, linked
from nightjar.messages import Messages
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.other_runs import failed_that_day
from nightjar.outcomes import outcomes, skip_next
from nightjar.params import date_param, dry_run_param, flag_param, optional_number_param, require_known_params
from nightjar.runs import dag_options, output, parsed_subject, pulled, state_waiting, waiting
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor

from include.build import BUILD_FILE
from include.errors import ConflictError, NothingToDoError, RefusedError, UserError
from include.lake import resources
from include.lake.days import parse_day
from include.pipelines import retrain as pipeline
from include.pipelines.process import TO_TRAIN_FOR, ChosenDays, DayChoice, day_wait
from include.pipelines.retrain import DatasetPlan, FinishedJobs, PreparedRun, RegisteredPackage, RetrainHooks
from include.settings import settings
from include.workloads import Workload, discover, load

DAY_DEADLINE, PROCESS_DEADLINE, RUN_LIMIT = timedelta(hours=6), timedelta(hours=12), timedelta(hours=26)
QUERY_SECONDS, QUEUE_SECONDS = 3600, 3600  # a SageMaker job may wait for its instance, besides its own time limit
QUERY, TRAINING = athena.SubmitAthenaQueryOperator, sagemaker.SubmitTrainingJobOperator
EVALUATION, TUNING = sagemaker.SubmitProcessingJobOperator, sagemaker.SubmitTuningJobOperator
FAILURES, TUNED_OR_NOT = (RefusedError, ConflictError, pipeline.LiveStateError), "none_failed_min_one_success"
ALIAS = "{}-approved-model"  # by its alias, register emits resources.approved_model or not
FRESH, DAY = "{{ params.fresh }}", pulled("choose_day", "last")
CHOSEN = {"model_uri": "{{ chosen_model(ti.xcom_pull('sense_training'), ti.xcom_pull('sense_tuning')) }}"}
PARAMS = {
    "date": date_param(f"The day to train for. Empty: {TO_TRAIN_FOR[settings().default_day]}."),
    "fresh": flag_param("Run every job again even if it succeeded before."),
    "dry_run": dry_run_param(),
    "backfilled": flag_param("Compare with the champion of the day's own time, and deploy nothing."),
    "tune": optional_number_param("Tuning trials; 0: none. Empty: as many as the workload declares.", 12, minimum=0),
}


def hooks(workload: str) -> RetrainHooks:
    """Returns the AWS hooks that the run's functions take."""
    config, group = settings(), resources.model_group(workload)
    registry = sagemaker.RegistryHook(group, region_name=config.region)
    service = ecs.EcsService.connect(config.ecs_cluster, resources.service_name(workload), region_name=config.region)
    return RetrainHooks(ObjectStoreHook(), StateHook(config.state_table), registry, service)


@task
def choose_day(workload: str, dag_run: Any = None, params: Any = None) -> ChosenDays:
    """Chooses the day; fails at once if the run's Params are wrong, or a person's run has no data to wait for."""
    require_known_params(dag_run, params)
    config, present, state = settings(), datetime.now(UTC), StateHook(settings().state_table)
    with outcomes(skip=NothingToDoError, fail=(UserError, *FAILURES)):
        chosen = DayChoice(load(workload), config, present, ObjectStoreHook(), state).to_train_for(dag_run, params)
        tuning = pipeline.tuning_sentence(load(workload), params, config, state, present)
        if params["dry_run"]:
            pipeline.end_dry_run(load(workload), chosen, hooks(workload), dag_run, params, tuning)
    return noted(chosen, lambda days: pipeline.notes.chosen(days, tuning))


@task
def plan(workload: str, day: str) -> DatasetPlan:
    """Plans the data set: its cut-off, and its two queries with their submit keys."""
    sha, state = code_sha(BUILD_FILE), StateHook(settings().state_table)
    with outcomes(fail=RefusedError):
        planned = pipeline.plan_dataset(load(workload), parse_day(day), settings(), sha, state, datetime.now(UTC))
    return noted(planned, pipeline.notes.planned)


@task
def prepare(
    name: str, planned: DatasetPlan, key: str, digest: athena.AthenaQueryResult, dag_run: Any = None, params: Any = None
) -> PreparedRun:
    """Writes the data set's manifest, evaluates its gate and requests the jobs."""
    rows = athena.query_rows(digest["query_execution_id"], settings().region)
    with outcomes(fail=(UserError, *FAILURES)):
        asked = pipeline.asked_of(load(name), dag_run, params, settings(), hooks(name).state, datetime.now(UTC))
        prepared = pipeline.prepare(load(name), planned, key, rows, settings(), hooks(name), **asked)
    untuned = load(name).model.tuning and not prepared["tuning"]
    return skip_next(prepared, "There is nothing to tune.", "submit_tuning") if untuned else prepared


@task(trigger_rule=TUNED_OR_NOT)
def register(
    workload: str, planned: DatasetPlan, prepared: PreparedRun, jobs: FinishedJobs, outlet_events: Any = None
) -> RegisteredPackage:
    """Decides on the candidate and registers it; requests its deploy, or tells people that it waits for them."""
    config, state, alias = settings(), StateHook(settings().state_table), AssetAlias(ALIAS.format(workload))
    messages = Messages(config.alerts_topic_arn, state)
    request_deploy = partial(outlet_events[alias].add, Asset(resources.approved_model(workload)))
    with outcomes(fail=FAILURES):
        package = pipeline.register(load(workload), planned, prepared, jobs, config, hooks(workload))
        pipeline.measure_run(workload, planned, prepared, jobs, datetime.now(UTC), state)
        next_step = pipeline.deploy_or_ask(workload, package, messages, request_deploy)
    return noted(package, partial(pipeline.notes.with_card, add_pages(package["pages"]), next_step=next_step))


def retrain(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_retrain``."""
    name, config, when, tuning = workload.name, settings(), workload.schedule, workload.model.tuning
    early, poll = when.head_start(when.retrain), config.poll_seconds  # the UTC day ends later than the local one
    job_wait, trials_wait = (waiting(poll, limit + QUEUE_SECONDS) for limit in workload.sagemaker_limits)
    query = {"database": config.glue_database, "workgroup": config.athena_workgroup, "fresh": FRESH}
    jobs: Any = {"ledger": JobLedger(config.state_table, pipeline.JobAccounts(name)), "region_name": config.region}
    ask: Any = partial(submit_and_sense, submit_class=QUERY, wait=waiting(poll, QUERY_SECONDS), **query)
    with DAG(
        f"{name}_retrain",
        doc_md=__doc__,
        description="published days → data set → training → evaluation → decision → model package",
        schedule=cron_schedule(when.retrain, when.timezone, config.nights_file, name),
        dagrun_timeout=config.wait_limit(RUN_LIMIT + early),
        params=PARAMS,
        user_defined_macros={"chosen_model": pipeline.chosen_model},
        render_template_as_native_obj=True,
        **dag_options("retrain", name, workload.owner, config.alerts_topic_arn, **jobs) | when.dag_options(),
    ) as dag:
        chosen: Any = choose_day(name)
        wait_day = StateSensor(
            task_id="wait_day",
            table=config.state_table,
            cause_reported=failed_that_day(f"{name}_process", when.process, when.timezone),
            unmet=f"Day {DAY} was neither published nor refused",
            **day_wait(workload, chosen["last"]),
            **state_waiting(poll, config.wait_limit(DAY_DEADLINE + early), patience=15),  # a small day takes that long
        )
        wait_runs = EarlierRunsSensor(  # of this DAG, then of process: ADR 40
            task_id="wait_runs",
            other_dag_id=f"{name}_process",
            ignored_tasks=("choose_days", "wait_raw"),  # a night that waits for its data would hold back the one before
            advice="They may publish days of the data set anew. End them, then clear this task.",
            **state_waiting(poll, config.wait_limit(PROCESS_DEADLINE)),
        )
        planned: Any = plan(name, chosen["last"])
        unload, sense_dataset = ask("dataset", query=planned["dataset_query"], submit_key=planned["key"])
        _, sense_digest = ask("digest", query=planned["digest_query"], submit_key=planned["digest_key"])
        prepared: Any = prepare(name, planned, output(unload, "submit_key"), output(sense_digest))
        job = partial(sagemaker.requested_job, prepared, FRESH)
        _, sense_training = job("training", TRAINING, job_wait)
        trained = [sense_training, *([job("tuning", TUNING, trials_wait)[1]] if tuning else [])]
        score, sense_evaluation = job("evaluation", EVALUATION, job_wait, references=CHOSEN, trigger_rule=TUNED_OR_NOT)
        sensors = [sense_dataset, sense_digest, *trained, sense_evaluation]
        finished: Any = {sensor.task_id.removeprefix("sense_"): output(sensor) for sensor in sensors}
        emitting: Any = register.override(outlets=[AssetAlias(ALIAS.format(name))])
        linked(emitting(name, planned, prepared, finished), *pipeline.notes.PAGES)
        wait_day >> wait_runs >> planned
        sense_dataset >> prepared
        trained >> score
        sensors >> StopJobsOperator(task_id="stop_jobs", jobs=[sensor.job for sensor in sensors]).as_teardown()
    return dag


for _workload in discover(only=parsed_subject("retrain"))[0]:
    retrain(_workload)
