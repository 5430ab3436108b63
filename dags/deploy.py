"""# Deploy a model version.

Brings one approved version of a workload's model into its ECS service: rolls it out, verifies it, makes it live. Runs
after a retrain run has registered an approved version, or by hand. A run whose intent is not the newest does nothing.
With a shadow, the version first scores requests that the live one has answered; with a canary, it gets a share of them.

**Green**: ECS rolled it out, `/version` returns it five times in a row, and the golden rows score as in training.
**Red**: the service is back on the version before. One at fault (crashes, scores wrongly, answers worse) is Rejected;
after a denied call, a full cluster or a dead worker it stays approved. A refusal (hold, freeze, Rejected, older data)
is *skipped* in an automatic run, else red. In a freeze, a person can only go back. If the live log is lost: *repair*.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, TriggerRule, task
from nightjar.build import code_sha
from nightjar.compared import comparison_tasks
from nightjar.jobs import JobLedger, sagemaker
from nightjar.jobs.ecs import EcsService, rollout_sensor, submit_and_sense_rollout, trial_tasks
from nightjar.links import add_pages, address, linked
from nightjar.metric_values import MetricsHook
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import dry_run_param, flag_param, require_known_params, suggesting_param, text_param
from nightjar.runs import dag_options, output, parsed_subject, waiting
from nightjar.state.hook import StateHook
from nightjar.verdicts import fault_pushed
from nightjar.weights import TargetGroupWeights

from include.build import BUILD_FILE
from include.errors import ConflictError, NothingToDoError, RefusedError
from include.lake import resources
from include.pipelines import deploy as pipeline
from include.pipelines.cost import JobAccounts
from include.pipelines.deploy import FAILURES, FAULT_KEY, DeployHooks, DeployTarget, LivePointer, Rollout, Verification
from include.pipelines.deploy.canary import Canary, CanaryHooks
from include.pipelines.deploy.shadow import Shadow
from include.settings import settings
from include.workloads import Workload, discover, load

CONFIG = settings()
AWS: Any = {"aws_conn_id": None, "region_name": CONFIG.region}
ROLLOUT_SECONDS, QUEUE_SECONDS = 1800, 3600  # a SageMaker job may wait for its instance, besides its own time limit
PARAMS = {
    "version": suggesting_param(*pipeline.VERSION_FORM),
    "release_hold": flag_param("Release the hold that a rollback or a repair has set."),
    "reason": text_param(*pipeline.REASON_FORM),
    "dry_run": dry_run_param(),
}


def hooks(workload: str) -> DeployHooks:
    """Returns the AWS hooks that the run's functions take."""
    service = EcsService.connect(CONFIG.ecs_cluster, resources.service_name(workload), region_name=CONFIG.region)
    registry = sagemaker.RegistryHook(resources.model_group(workload), region_name=CONFIG.region)
    beside = canary(declared).hooks if (declared := load(workload)).deploy.canary else None
    return DeployHooks(StateHook(CONFIG.state_table), service, registry, beside)


def canary(workload: Workload) -> Canary:
    """Returns the canary of a workload that has one."""
    weights = TargetGroupWeights(*resources.target_groups(workload.name), region_name=CONFIG.region)
    ecs = EcsService.connect(CONFIG.ecs_cluster, resources.canary_name(workload.name), region_name=CONFIG.region)
    beside = CanaryHooks(StateHook(CONFIG.state_table), weights, ecs, MetricsHook(region_name=CONFIG.region))
    return Canary(workload, beside, settle=timedelta(seconds=max(4, 4 * CONFIG.poll_seconds)))


def shadow(workload: Workload) -> Shadow:
    """Returns the shadow of a workload that has one."""
    return Shadow(workload, hooks(workload.name), ObjectStoreHook(), CONFIG, code_sha(BUILD_FILE))


@task
def resolve(workload: str, params: Any = None, dag_run: Any = None) -> DeployTarget:
    """Chooses the version and records the intent; a refusal is skipped in an automatic run and red in a manual one."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    automatic = dag_run.run_type in ("asset_triggered", "scheduled")
    with outcomes(skip=(NothingToDoError, RefusedError) if automatic else NothingToDoError, fail=FAILURES):
        run: Any = {"run_id": dag_run.run_id, "automatic": automatic, "present": datetime.now(UTC)}
        target = pipeline.resolve(workload, params, hooks(workload), **run)
    return noted(pipeline.with_card(target, address), pipeline.notes.chosen)


@task
def verify(workload: str, target: DeployTarget, ti: Any = None) -> Verification:
    """Checks that the service serves the version and scores as in training."""
    stores = SsmHook(**AWS), SecretsManagerHook(**AWS), ObjectStoreHook()
    with outcomes(fail=RefusedError), fault_pushed(ti, FAULT_KEY, pipeline.VersionFaultError):
        pipeline.own_intent(workload, StateHook(CONFIG.state_table), run_id=ti.run_id)
        verified = pipeline.verify(workload, target, *stores, api_key_secret=CONFIG.verify_key_secret)
    add_pages({pipeline.notes.SERVICE: verified["url"]})
    return verified


@task
def go_live(workload: str, target: DeployTarget, rollout: Rollout, ti: Any = None) -> LivePointer:
    """Records that the version is live."""
    with outcomes(fail=(ConflictError, *FAILURES)):
        pointer = pipeline.go_live(workload, target, rollout, hooks(workload), run_id=ti.run_id)
    return noted(pointer, pipeline.notes.live)


@task(trigger_rule=TriggerRule.ONE_FAILED)
def reject_version(workload: str, target: Any, rollout: Any, found_by: str = "verify", ti: Any = None) -> int:
    """Rejects the version, so that no later run deploys it; skipped when the version did not cause the failure."""
    fault, tried = ti.xcom_pull(task_ids=found_by, key=FAULT_KEY), found_by != "verify"
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        version = pipeline.reject(workload, target, rollout, fault, hooks(workload), run_id=ti.run_id, canary=tried)
    return noted(version, pipeline.notes.rejected)


@task(trigger_rule=TriggerRule.ONE_FAILED)
def restore_service(workload: str, target: DeployTarget | None, ti: Any = None) -> Rollout:
    """Rolls the service back to the last verified version; skipped when that is not this run's to do."""
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        return noted(pipeline.restore(workload, target, hooks(workload), run_id=ti.run_id), pipeline.notes.restored)


def deploy(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_deploy``."""
    name, spec, beside = workload.name, workload.deploy.canary, workload.deploy.shadow
    ecs = {"cluster": CONFIG.ecs_cluster, "service": resources.service_name(name)}
    wait, length = waiting(CONFIG.poll_seconds, ROLLOUT_SECONDS), timedelta(minutes=spec.minutes if spec else 0)
    job = waiting(CONFIG.poll_seconds, workload.sagemaker_limits[0] + QUEUE_SECONDS if beside else 0)
    options: Any = {"doc_md": __doc__, "params": PARAMS, "max_active_runs": 1, "render_template_as_native_obj": True}
    with DAG(
        f"{name}_deploy",
        description=f"Deploys an approved model version of {name}",
        schedule=Asset(resources.approved_model(name)),
        dagrun_timeout=timedelta(hours=3) + length + job["execution_timeout"],
        **dag_options("deploy", name, workload.owner, CONFIG.alerts_topic_arn, region_name=CONFIG.region),
        **options,
    ) as dag:
        target: Any = resolve(name)
        new: Any = {"template_family": resources.template_family(name), "image": CONFIG.serving_image, "fail": FAILURES}
        new |= {"environment": target["environment"], "desired_count": workload.serving.desired_count}
        new["fence"] = lambda run_id: pipeline.own_intent(name, StateHook(CONFIG.state_table), run_id=run_id)
        submit, sense = submit_and_sense_rollout("rollout", ecs, wait, **new)
        verified: Any = linked(verify(name, target), pipeline.notes.SERVICE)
        live: Any = go_live(name, target, output(submit))
        # The leaf that makes the run red whichever task failed: a restored service must not make it green.
        target >> submit >> sense >> verified >> live >> EmptyOperator(task_id="deployed")
        [sense, verified] >> reject_version(name, target, output(submit))
        restored, tried = restore_service(name, target), submit
        [sense, verified, live] >> restored >> rollout_sensor("sense_restore", ecs, "restore_service", wait)
        if spec:
            ecs = {**ecs, "service": resources.canary_name(name)}
            new |= {"desired_count": spec.tasks(workload.serving.desired_count), "skip": NothingToDoError}
            tried, *ends = trial_tasks(target, submit, partial(canary, workload), ecs, wait, length, **new)
            ends >> reject_version.override(task_id="reject_canary")(name, target, output(tried), "compare_canary")
            ends >> restored
        if beside:
            ledger = JobLedger(CONFIG.state_table, JobAccounts(name))
            ends = comparison_tasks(target, tried, partial(shadow, workload), job, ledger, NothingToDoError, FAILURES)
            ends >> reject_version.override(task_id="reject_shadow")(name, target, None, "compare_shadow")
            ends >> restored
    return dag


for _workload in discover(only=parsed_subject("deploy"))[0]:
    deploy(_workload)
