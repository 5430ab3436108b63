"""### Monitoring of one workload: drift, accuracy in production, training–serving skew; hourly.

**Inputs**: the newest published days (tables of the catalog), the prediction log, the labels that arrived by now, and
`baseline.json` of the live bundle: what its training data looked like. Two Athena queries count; a worker sees counts.

**Outputs**: metrics in the namespace `Nightjar/Monitoring`; in the artifact bucket below `monitor/<workload>/` a
document and a page, which the task `evaluate` links to. State table: `monitor#…`, what drifted in the newest windows.

**How it ends**: green, also if something has drifted: the alarms `drift` and `accuracy` tell people. The first task is
*skipped* while nothing is live or published. Where `monitor.retrain_on_drift` is set in `workload.yaml`, confirmed
drift starts a retrain run for the newest published day, once a day at most; this run then waits for its end.

**Cautions.** A window ends at the end of the run's data interval, so clearing a run looks at the same window again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from nightjar.build import code_sha
from nightjar.jobs import JobLedger, StopJobsOperator, athena, submit_and_sense
from nightjar.jobs.sagemaker import RegistryHook
from nightjar.links import add_pages, linked
from nightjar.metrics import publish_metrics
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import date_param, instant_param, number_param, require_known_params
from nightjar.runs import dag_options, output, parsed_subject, waiting
from nightjar.state.hook import StateHook
from nightjar.triggered_runs import TriggerRunOperator

from include.build import BUILD_FILE
from include.errors import NothingToDoError, RefusedError, UserError
from include.lake import resources
from include.pipelines import monitor as pipeline
from include.pipelines.cost import JobAccounts
from include.pipelines.monitor import MonitorPlan, RetrainRun
from include.pipelines.rundate import run_end
from include.settings import settings
from include.workloads import Workload, discover, load

QUERY_SECONDS, RESULT_PAGES = 1800, 20
RUN_LIMIT, RETRAIN_LIMIT = timedelta(hours=30), timedelta(hours=28)  # of a run that waits for its retrain run
FAILURES = (RefusedError, UserError, pipeline.LiveStateError)


@task
def plan(workload: str, dag_run: Any = None, params: Any = None) -> MonitorPlan:
    """Chooses the windows, reads the live version's baseline and makes the queries."""
    require_known_params(dag_run, params)
    config = settings()
    registry = RegistryHook(resources.model_group(workload), region_name=config.region)
    hooks = pipeline.MonitorHooks(ObjectStoreHook(), StateHook(config.state_table), registry)
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        request = pipeline.MonitorRequest.of(run_end(dag_run, params), params)
        return pipeline.plan_monitor(load(workload), request, config, code_sha(BUILD_FILE), hooks)


@task(multiple_outputs=False)
def evaluate(
    workload: str, planned: MonitorPlan, lake: athena.AthenaQueryResult, log: athena.AthenaQueryResult
) -> dict[str, str]:
    """Compares, writes the report, publishes the metrics; returns what drifted for certain."""
    config, objects, state = settings(), ObjectStoreHook(), StateHook(settings().state_table)
    of_lake, of_log = (
        athena.query_rows(query["query_execution_id"], config.region, pages=RESULT_PAGES) for query in (lake, log)
    )
    with outcomes(fail=RefusedError):
        baseline = pipeline.load_baseline(planned, config.artifact_bucket, objects)
        report = pipeline.make_report(load(workload), planned, baseline, of_lake, of_log, state)
    add_pages({pipeline.notes.PAGE: pipeline.store_report(report, config.artifact_bucket, objects)})
    publish_metrics(pipeline.NAMESPACE, pipeline.metric_data(report), config.region)
    return noted(report, pipeline.notes.found)["confirmed"]


@task
def ask_retrain(workload: str, planned: MonitorPlan, confirmed: dict[str, str]) -> RetrainRun:
    """Returns the retrain run to start; is skipped if there is none."""
    state, end, day = StateHook(settings().state_table), planned["window_end"], planned["days"][-1]
    with outcomes(skip=NothingToDoError):
        return pipeline.request_retrain(load(workload), end, day, confirmed, state)


def monitor(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_monitor``."""
    name, config, default = workload.name, settings(), workload.monitor
    hours = "Hours of requests that are compared with the training data."
    params = {
        "until": instant_param("End of the window. Empty: the end of the data interval, or now for a manual run."),
        "date": date_param("The newest published day to compare. Empty: the newest there is."),
        "hours": number_param(default.hours, hours, minimum=1, maximum=168),
        "period_days": number_param(
            default.period_days, "Days of predictions whose labels are looked for.", minimum=1, maximum=92
        ),
    }
    query = {"database": config.glue_database, "workgroup": config.athena_workgroup}
    wait = waiting(config.poll_seconds, QUERY_SECONDS)
    jobs: Any = {"ledger": JobLedger(config.state_table, JobAccounts(name)), "region_name": config.region}
    with DAG(
        dag_id=f"{name}_monitor",
        description="published days, prediction log, late labels → drift, accuracy, skew",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable("35 * * * *", timezone="UTC"),
        max_active_runs=4,  # one may wait for a retrain run
        dagrun_timeout=RUN_LIMIT,
        params=params,
        render_template_as_native_obj=True,
        **dag_options("monitor", name, workload.owner, config.alerts_topic_arn, **jobs),
    ) as dag:
        planned: Any = plan(name)
        sensors = []
        for source in ("lake", "log"):
            asked = {"query": planned[f"{source}_query"], "submit_key": planned[f"{source}_key"]}
            sensors.append(submit_and_sense(source, athena.SubmitAthenaQueryOperator, wait, **asked, **query)[1])
        confirmed: Any = linked(evaluate(name, planned, *map(output, sensors)), pipeline.notes.PAGE)
        sensors >> StopJobsOperator(task_id="stop_jobs", jobs=[sensor.job for sensor in sensors]).as_teardown()
        asked_for: Any = ask_retrain(name, planned, confirmed)
        TriggerRunOperator(
            task_id="retrain",
            trigger_dag_id=f"{name}_retrain",
            run=asked_for,
            poll_seconds=config.poll_seconds,
            execution_timeout=RETRAIN_LIMIT,
        )
    return dag


for _workload in discover(only=parsed_subject("monitor"))[0]:
    monitor(_workload)
