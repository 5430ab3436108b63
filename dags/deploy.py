"""# Deploy a model version.

Brings one approved version of a workload's model into its ECS service: rolls it out, verifies it, makes it live. Runs
when a retrain run registered an approved version, or when a person asks for one (see the Params). One run at a time;
nothing else changes what serves. `resolve` records the intent first; a run whose intent is not the newest does nothing.

**Green** means: ECS calls the deployment successful, its task definition is the requested one, `/version`, called
through the load balancer, returns the requested version and digest five times in a row, and the golden rows score as in
training. **Red**: the service is back on the last verified version. A version at fault (its tasks crash or do not get
healthy, or it scores wrongly) becomes Rejected; after a denied call, a full cluster or a dead worker it stays approved.
A refusal (on hold, Rejected, older data than the live version) is *skipped* in an automatic run, red in a manual one.
With `version` *live*, the live version is deployed again, with the service's image and template of now.
If the record of what is live is lost or altered, every run is red until one with `version` *repair* has run.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, TaskGroup, TriggerRule, task
from nightjar.build import code_sha
from nightjar.jobs import JobSensor
from nightjar.jobs.ecs import EcsRollout, EcsService, SubmitRolloutOperator
from nightjar.jobs.sagemaker import RegistryHook
from nightjar.links import add_pages, address, linked
from nightjar.notes import noted
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import dry_run_param, flag_param, require_known_params, suggesting_param, text_param
from nightjar.runs import dag_options, output, pulled, waiting
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import ConflictError, NothingToDoError, RefusedError, UserError
from include.lake import layout
from include.pipelines import deploy as pipeline
from include.pipelines.deploy import DeployHooks, DeployTarget, LivePointer, Rollout, Verification
from include.settings import settings
from include.workloads import Workload, discover

CONFIG = settings()
AWS: Any = {"aws_conn_id": None, "region_name": CONFIG.region}
AUTOMATIC = ("asset_triggered", "scheduled")
ROLLOUT_SECONDS = 1800
FAULT_KEY = "version_fault"  # XCom of verify
ARNS = ("service_deployment_arn", "task_definition")
VERSION_HELP = (
    "A version's number, or latest: the newest approved one; previous: roll back, and hold; live: the live one again, "
    "with the image of now; repair: after a loss of the record of what is live. Empty: latest."
)
REASON_HELP = "Needed only to go back, by its number, to a version that was once live. Empty: no reason."
FAILURES = (UserError, RefusedError, pipeline.LiveStateError, pipeline.UnverifiedServiceError)
PARAMS = {
    "version": suggesting_param(VERSION_HELP, ["latest", "previous", "live", "repair", "7"], pipeline.VERSION_PATTERN),
    "release_hold": flag_param("Release the hold that a rollback or a repair has set."),
    "reason": text_param(REASON_HELP, "version 8 refuses requests without a carrier"),
    "dry_run": dry_run_param(),
}


def hooks(workload: str) -> DeployHooks:
    """Returns the AWS hooks that the run's functions take."""
    service = EcsService.connect(CONFIG.ecs_cluster, layout.service_name(workload), region_name=CONFIG.region)
    registry = RegistryHook(layout.model_group(workload), region_name=CONFIG.region)
    return DeployHooks(StateHook(CONFIG.state_table), service, registry)


@task
def resolve(workload: str, params: Any = None, dag_run: Any = None) -> DeployTarget:
    """Chooses the version and records the intent; a refusal is skipped in an automatic run and red in a manual one."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    automatic = dag_run.run_type in AUTOMATIC
    skip = (NothingToDoError, RefusedError) if automatic else (NothingToDoError,)
    with outcomes(skip=skip, fail=FAILURES):
        target = pipeline.resolve(workload, params, hooks(workload), run_id=dag_run.run_id, automatic=automatic)
    return noted(pipeline.with_card(target, address), pipeline.notes.chosen)


@task
def verify(workload: str, target: DeployTarget, ti: Any = None) -> Verification:
    """Checks that the service serves the version and scores as in training."""
    stores = SsmHook(**AWS), SecretsManagerHook(**AWS), ObjectStoreHook()
    try:
        verified = pipeline.verify(workload, target, *stores, api_key_secret=CONFIG.verify_key_secret)
    except pipeline.VersionFaultError as error:
        ti.xcom_push(key=FAULT_KEY, value=str(error))
        raise
    add_pages({pipeline.notes.SERVICE: verified["url"]})
    return verified


@task
def go_live(workload: str, target: DeployTarget, rollout: Rollout, ti: Any = None) -> LivePointer:
    """Records that the version is live."""
    with outcomes(fail=(ConflictError, *FAILURES)):
        return noted(
            pipeline.go_live(workload, target, rollout, hooks(workload), run_id=ti.run_id), pipeline.notes.live
        )


@task(trigger_rule=TriggerRule.ONE_FAILED)
def reject_version(workload: str, target: DeployTarget | None, rollout: Rollout | None, ti: Any = None) -> int:
    """Rejects the version, so that no later run deploys it; skipped when the version did not cause the failure."""
    fault = ti.xcom_pull(task_ids="verify", key=FAULT_KEY)
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        version = pipeline.reject(workload, target, rollout, fault, hooks(workload), run_id=ti.run_id)
    return noted(version, pipeline.notes.rejected)


@task(trigger_rule=TriggerRule.ONE_FAILED)
def restore_service(workload: str, target: DeployTarget | None, ti: Any = None) -> Rollout:
    """Rolls the service back to the last verified version; skipped when that is not this run's to do."""
    with outcomes(skip=NothingToDoError, fail=FAILURES):
        return noted(pipeline.restore(workload, target, hooks(workload), run_id=ti.run_id), pipeline.notes.restored)


def deploy(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_deploy``."""
    name = workload.name
    ecs = {"cluster": CONFIG.ecs_cluster, "service": layout.service_name(name)}
    wait = waiting(CONFIG.poll_seconds, ROLLOUT_SECONDS)
    with DAG(
        f"{name}_deploy",
        doc_md=__doc__,
        description=f"Deploys an approved model version of {name}",
        schedule=Asset(f"nightjar://{name}/approved-model"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=3),
        params=PARAMS,
        render_template_as_native_obj=True,
        **dag_options("deploy", name, workload.owner, CONFIG.alerts_topic_arn, region_name=CONFIG.region),
    ) as dag:
        target: Any = resolve(name)
        rolling = TaskGroup("rollout_job", prefix_group_id=False)
        submit = SubmitRolloutOperator(
            task_id="submit_rollout",
            task_group=rolling,
            **ecs,
            template_family=layout.template_family(name),
            image=CONFIG.serving_image,
            environment=target["environment"],
            desired_count=workload.serving.desired_count,
            fence=lambda run_id: pipeline.own_intent(name, StateHook(CONFIG.state_table), run_id=run_id),
            fail=FAILURES,
        )
        rollout = EcsRollout(**ecs, **{arn: pulled("submit_rollout", arn) for arn in ARNS})
        sense = JobSensor(task_id="sense_rollout", task_group=rolling, job=rollout, **wait)
        verified: Any = linked(verify(name, target), pipeline.notes.SERVICE)
        live: Any = go_live(name, target, output(submit))
        # The leaf that makes the run red whichever task failed: a restored service must not make it green.
        target >> submit >> sense >> verified >> live >> EmptyOperator(task_id="deployed")
        [sense, verified] >> reject_version(name, target, output(submit))
        restored: Any = restore_service(name, target)
        rollback = EcsRollout(**ecs, **{arn: restored[arn] for arn in ARNS})
        [sense, verified, live] >> restored >> JobSensor(task_id="sense_restore", job=rollback, **wait)
    return dag


for _workload in discover()[0]:
    deploy(_workload)
