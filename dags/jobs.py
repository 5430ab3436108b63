"""### Jobs and costs of one workload: stops jobs without a run, records what jobs have cost, sums it up; hourly.

**Inputs**: the Glue runs, Athena queries and SageMaker jobs that AWS has; which run has asked for each (state table,
`claim#…`); what is stored for the workload; how many tasks of its service run.

**Outputs**: charges in the state table (`cost#<workload>#<month>`), the metrics `UsdToday`, `UsdMonth` and
`UsdMonthForecast` in the namespace `Nightjar/Cost`, and one message a month when the workload's budget is used up.

**How it ends**: green. The run's note names each job that was stopped and a deploy that was given up, and why: its run
was marked as failed, was too long, lost its worker or was deleted. A job of a run that is at work is never
stopped; one that no run has asked for is only named in the note.

**Cautions.** A job is left alone for ten minutes after it was submitted. Clearing the tasks is safe: a job is recorded
once, however often it is found.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from nightjar.build import code_sha
from nightjar.callbacks import publish_warnings
from nightjar.jobs import JobLedger, athena, glue, sagemaker
from nightjar.jobs.ecs import EcsService
from nightjar.jobs.sweep import JobSweep
from nightjar.metrics import publish_metrics
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import number_param, require_known_params
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook
from nightjar.triggered_runs import run_state

from include.build import BUILD_FILE
from include.lake import resources
from include.pipelines import cost as pipeline
from include.pipelines.deploy.ended import end_without_run
from include.pipelines.monitor.reaper import watch_jobs
from include.settings import settings
from include.workloads import Workload, discover, load

RUN_LIMIT = timedelta(hours=1)
PARAMS = {
    "grace_minutes": number_param(
        10, "Minutes for which a job is left alone after it was submitted.", minimum=0, maximum=1440
    )
}


@task(multiple_outputs=False)
def watch(workload: str, dag_run: Any = None, params: Any = None) -> list[str]:
    """Records ended jobs, stops jobs and gives up deploys whose runs have ended; returns what a person should know."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    config = settings()
    kinds = [
        glue.GlueRuns((config.glue_transform_job, config.glue_audit_job)),
        athena.AthenaQueries(config.athena_workgroup),
        sagemaker.TrainingJobs(resources.JOB_PREFIX),
        sagemaker.TuningJobs(resources.JOB_PREFIX),
        sagemaker.ProcessingJobs(resources.JOB_PREFIX),
    ]
    sweep = JobSweep(JobLedger(config.state_table, pipeline.JobAccounts(workload)), kinds, config.region)
    state, grace = StateHook(config.state_table), timedelta(minutes=params["grace_minutes"])
    with outcomes():
        watched = watch_jobs(workload, sweep, state, run_state, datetime.now(UTC), grace)
        lines = [*end_without_run(workload, run_state, state), *watched.lines]
    return noted(lines, "\n".join)


@task(multiple_outputs=False)
def costs(workload: str, dag_run: Any = None) -> dict[str, float]:
    """Meters the service and storage, publishes the costs, and tells people once a month of a used-up budget."""
    config, present, declared = settings(), datetime.now(UTC), load(workload)
    state = StateHook(config.state_table)
    with outcomes():
        service = EcsService.connect(config.ecs_cluster, resources.service_name(workload), region_name=config.region)
        tasks, publish = service.describe()["runningCount"], partial(publish_metrics, region_name=config.region)
        hooks: Any = {"state": state, "sizes": ObjectStoreHook(), "publish": publish}
        found = pipeline.put_costs(declared, config, present, tasks, **hooks)
    subject = f"Nightjar: the month's budget of {workload} is used up"
    warning = pipeline.budget_warning(found, state)
    if publish_warnings(config.alerts_topic_arn, subject, warning, dag_run):
        pipeline.remember_budget_warning(found, present, state)
    noted(found, lambda one: "\n".join([one.sentence(), *warning]))
    return {"today": found.spent["today"], "month": found.spent["month"], "forecast": found.forecast["month"]}


def jobs(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_jobs``."""
    name, config = workload.name, settings()
    with DAG(
        dag_id=f"{name}_jobs",
        description="stops jobs without a run, records what jobs have cost, sums it up",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("50 * * * *", timezone="UTC"),
        max_active_runs=1,
        dagrun_timeout=RUN_LIMIT,
        params=PARAMS,
        **dag_options("monitor", name, workload.owner, config.alerts_topic_arn),
    ) as dag:
        watch(name) >> costs(name)
    return dag


for _workload in discover(only=parsed_subject("jobs"))[0]:
    jobs(_workload)
