"""### A date range, processed in chunks after a plan that a person reads; manual.

**The plan** says which days are to be processed, which are published already from the same inputs and code, what that
takes (from past runs), and in which chunks. It is a page and a JSON document below `backfills/<workload>/` of the
artifact bucket; its sentence is in the run's note. A *dry run* ends there. A plan that may cost more than the Param
`approve_above_usd` waits for a person, under *Required Actions*.
**Then** each chunk is a run of `<workload>_process`, so many at once as `concurrency` says, and after them each retrain
is a run of `<workload>_retrain`, one after the other in the order of their days. Their versions are registered as
backfilled: they are never deployed by themselves.
**How it ends**: with a report, beside the plan. A chunk that fails is red, and the others go on; the run ends red.
**To stop it**, mark the run as failed: the runs that it has started end too. **To resume**, trigger it again with the
same Params: days that are published are not repeated, and a run that is still at work is adopted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, task
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.approval import ApproveIfOperator
from nightjar.build import code_sha
from nightjar.links import add_pages, linked
from nightjar.notes import add_note, noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import amount_param, choice_param, date_param, flag_param, number_param, require_known_params
from nightjar.runs import dag_options, parsed_subject, pulled
from nightjar.state.hook import StateHook
from nightjar.triggered_runs import has_succeeded
from nightjar.turns import failed_runs, runs_in_turn

from include.build import BUILD_FILE, process_code
from include.errors import NothingToDoError, RefusedError, UserError
from include.lake.days import MAX_RUN_DAYS
from include.lake.instants import format_instant
from include.pipelines import backfill as pipeline
from include.pipelines.backfill import BackfillRequest, PlannedBackfill, TriggeredRun
from include.settings import settings
from include.workloads import Workload, discover, load
from include.workloads.backfill import MAX_CONCURRENCY

POOL = "nightjar_backfill"
CHUNKS, RETRAINS = "chunks", "retrains"
PLAN, REPORT = "Plan", "Report"  # buttons
BEGUN = "begun_at"  # an XCom of the task begin
NOT_BEGUN = "The backfill was not begun: the tasks before this one say why."
CHUNK_LIMIT, RETRAIN_LIMIT = timedelta(hours=13), timedelta(hours=27)  # an hour more than those DAGs' own time limits
ANSWER_LIMIT, RUN_LIMIT = timedelta(days=7), timedelta(days=30)


@task
def check(dag_run: Any = None, params: Any = None) -> BackfillRequest:
    """Checks the form; fails at once if a field is wrong."""
    require_known_params(dag_run, params)
    with outcomes(fail=UserError):
        return pipeline.parse_request(params, datetime.now(UTC))


@task(execution_timeout=timedelta(hours=1), multiple_outputs=True)
def plan(workload: str, request: BackfillRequest, dag_run: Any = None) -> PlannedBackfill:
    """Makes the plan; is skipped if there is nothing to do, and by a dry run."""
    config, present, objects = settings(), datetime.now(UTC), ObjectStoreHook()
    hooks: Any = {"objects": objects, "state": StateHook(config.state_table), "succeeded": has_succeeded}
    hooks |= {"code_sha": code_sha(BUILD_FILE), "process_code": process_code(BUILD_FILE)}
    context = pipeline.PlanContext(workload=load(workload), settings=config, present=present, **hooks)
    name = pipeline.backfill_name(request["first"], request["last"], dag_run.run_id)
    with outcomes(skip=NothingToDoError, fail=RefusedError):
        planned = pipeline.plan_backfill(request, name, context)
        stored = pipeline.store_plan(planned, config.artifact_bucket, objects)
    add_pages({PLAN: stored["page"]})
    return noted(stored, lambda found: found["sentence"])


@task
def begin(planned: PlannedBackfill, ti: Any = None) -> list[TriggeredRun]:
    """Returns the chunks, and records when the first one can begin: what they take is counted from then."""
    ti.xcom_push(key=BEGUN, value=format_instant(datetime.now(UTC)))
    return planned["chunks"]


# These two also run if chunks failed, and if there were none. Without a begin there is nothing to do for them.
@task(trigger_rule=TriggerRule.ALL_DONE)
def then_retrain(planned: PlannedBackfill, begun_at: str | None) -> list[TriggeredRun]:
    """Returns the retrain runs, after the chunks have ended."""
    if begun_at is None:
        raise AirflowSkipException(NOT_BEGUN)
    return planned["retrains"]


@task(trigger_rule=TriggerRule.ALL_DONE)
def report(planned: PlannedBackfill, begun_at: str | None, dag_run: Any = None) -> None:
    """Writes the report; fails if a run failed or a day was not published."""
    if begun_at is None:
        raise AirflowSkipException(NOT_BEGUN)
    config, objects = settings(), ObjectStoreHook()
    stages = {CHUNKS: planned["chunks"], RETRAINS: planned["retrains"]}
    failed = [run for group, runs in stages.items() for run in failed_runs(dag_run, group, runs)]
    made = pipeline.read_plan(planned["uri"], objects)
    found = pipeline.make_report(made, begun_at, failed, datetime.now(UTC), StateHook(config.state_table))
    page = pipeline.store_report(found, config.artifact_bucket, objects)
    add_pages({REPORT: page})
    add_note(found["sentence"])
    with outcomes(fail=RefusedError):
        pipeline.require_nothing_failed(found)


def form(workload: Workload) -> dict[str, Any]:
    """Returns the Params; the defaults are the workload's."""
    default = workload.backfill
    usd = settings().approve_backfill_above_usd if default.approve_above_usd is None else default.approve_above_usd
    at_once = "Process runs at once. With 1, every chunk's audit can compare with the days before it."
    return {
        "from_date": date_param("First day. Empty: refused.", "2013-01-01"),
        "to_date": date_param("Last day; it must have ended (UTC). Empty: refused.", "2013-12-31"),
        "chunk_days": number_param(default.chunk_days, "Days of one process run.", minimum=1, maximum=MAX_RUN_DAYS),
        "concurrency": number_param(default.concurrency, at_once, minimum=1, maximum=MAX_CONCURRENCY),
        "retrain_every": choice_param([*pipeline.RETRAIN_EVERY], "How often to retrain over the range afterwards."),
        "dry_run": flag_param("Only make the plan and its page: wait for nothing, start nothing."),
        "approve_above_usd": amount_param(usd, "Dollars above which a person is asked first; 0: always."),
    }


def backfill(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_backfill``."""
    name, config = workload.name, settings()
    options: Any = {"pool": POOL, "poll_seconds": config.poll_seconds, "total": RUN_LIMIT}
    with DAG(
        dag_id=f"{name}_backfill",
        description="a plan → process runs in chunks → retrain runs → a report",
        doc_md=__doc__,
        schedule=None,
        dagrun_timeout=RUN_LIMIT,
        params=form(workload),
        render_template_as_native_obj=True,
        **dag_options("backfill", name, workload.owner, config.alerts_topic_arn),
    ) as dag:
        request: Any = check()
        planned: Any = linked(plan(name, request), PLAN)
        approve = ApproveIfOperator(
            task_id="approve",
            subject=f"Backfill of {name}: approve its plan?",
            body=f"{pulled('plan', 'approval')} {pulled('plan', 'sentence')}\n\nPlan: {pulled('plan', 'page')}",
            reason=planned["approval"],
            response_timeout=ANSWER_LIMIT,
        )
        made: Any = pulled("plan")
        begun: Any = begin(made)
        limit = "{{ params.concurrency }}"
        chunks = runs_in_turn(CHUNKS, f"{name}_process", begun, limit, longest=CHUNK_LIMIT, **options)
        following: Any = then_retrain(made, pulled("begin", key=BEGUN))
        retrains = runs_in_turn(RETRAINS, f"{name}_retrain", following, 1, longest=RETRAIN_LIMIT, **options)
        approve >> begun >> chunks >> following
        reported: Any = linked(report(made, pulled("begin", key=BEGUN)), REPORT)
        begun >> following
        [begun, chunks, retrains] >> reported
        # The report comes whatever happens; this makes the run red if anything has failed.
        [begun, chunks, retrains, reported] >> EmptyOperator(task_id="end", trigger_rule=TriggerRule.NONE_FAILED)
    return dag


for _workload in discover(only=parsed_subject("backfill"))[0]:
    backfill(_workload)
