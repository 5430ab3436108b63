"""# Deploy a model version.

Brings one approved version of a workload's model into its ECS service: rolls it out, verifies it, makes it live. Runs
when a retrain run registered an approved version, or when a person asks for one (see the Params). One run at a time;
nothing else changes what serves.

**Green** means: ECS calls the deployment successful, its task definition is the requested one, `/version`, called
through the load balancer, returns the requested version and digest five times in a row, and the golden rows score as in
training. **Red**: the service is rolled back. A version at fault (its tasks crash or do not get healthy, or the
verification fails) becomes Rejected and is not tried again; after a denied call or a dead worker it stays approved.
A refusal (on hold, Rejected, older data than the live version) is *skipped* in an automatic run, red in a manual one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook
from airflow.sdk import DAG, Asset, Param, TaskGroup, TriggerRule, task
from nightjar.build import code_sha
from nightjar.jobs import JobSensor
from nightjar.jobs.ecs import EcsRollout, EcsService, SubmitRolloutOperator
from nightjar.jobs.sagemaker import RegistryHook
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import flag_param, require_known_params
from nightjar.runs import dag_options, output, pulled, waiting
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import ConflictError, NothingToDoError, RefusedError, UserError
from include.lake import layout
from include.pipelines import deploy as pipeline
from include.pipelines.deploy import DeployTarget, LivePointer, Rollout, Verification
from include.settings import settings
from include.workloads import Workload, discover

CONFIG = settings()
AWS: Any = {"aws_conn_id": None, "region_name": CONFIG.region}
AUTOMATIC = ("asset_triggered", "scheduled")
ROLLOUT_SECONDS = 1800
ARNS = ("service_deployment_arn", "task_definition")
VERSION_HELP = "A number; latest or empty: the newest approved; previous: go back, with automatic deploys on hold."
PARAMS = {
    "version": Param(None, type=["null", "integer", "string"], description=VERSION_HELP),
    "release_hold": flag_param("Release the hold that a deploy of previous has set."),
    "dry_run": flag_param("Report what would be deployed; change nothing."),
}


def registry(workload: str) -> RegistryHook:
    """Returns the model registry of a workload."""
    return RegistryHook(layout.model_group(workload), region_name=CONFIG.region)


def service(workload: str) -> EcsService:
    """Returns the ECS service of a workload."""
    return EcsService.connect(CONFIG.ecs_cluster, layout.service_name(workload), region_name=CONFIG.region)


@task
def resolve(workload: str, params: Any = None, dag_run: Any = None) -> DeployTarget:
    """Chooses the version to deploy; a refusal is skipped in an automatic run and red in a manual one."""
    code_sha(BUILD_FILE)
    require_known_params(dag_run, params)
    automatic = dag_run.run_type in AUTOMATIC
    hooks = StateHook(CONFIG.state_table), service(workload), registry(workload)
    skip = (NothingToDoError, RefusedError) if automatic else (NothingToDoError,)
    with outcomes(skip=skip, fail=(UserError, RefusedError)):
        return pipeline.resolve(workload, params, *hooks, automatic=automatic)


@task
def verify(workload: str, target: DeployTarget, ti: Any = None) -> Verification:
    """Checks that the service serves the version and scores as in training."""
    hooks = SsmHook(**AWS), SecretsManagerHook(**AWS), ObjectStoreHook()
    try:
        return pipeline.verify(workload, target, *hooks, api_key_secret=CONFIG.verify_key_secret)
    except pipeline.VerificationError as error:
        ti.xcom_push(key="failure", value=str(error))
        raise


@task
def go_live(workload: str, target: DeployTarget, rollout: Rollout, params: Any = None, ti: Any = None) -> LivePointer:
    """Writes the live pointer."""
    hooks, release = (StateHook(CONFIG.state_table), registry(workload)), params["release_hold"]
    with outcomes(fail=ConflictError):
        return pipeline.go_live(workload, target, rollout, *hooks, release_hold=release, run_id=ti.run_id)


@task(trigger_rule=TriggerRule.ONE_FAILED)
def reject_version(workload: str, target: DeployTarget | None, rollout: Rollout | None, ti: Any = None) -> int:
    """Rejects the version, so that no later run deploys it; skipped when the version did not cause the failure."""
    hooks = service(workload), ti.xcom_pull(task_ids="verify", key="failure")
    with outcomes(skip=NothingToDoError):
        return pipeline.reject(target, rollout, *hooks, run_id=ti.run_id, registry=registry(workload))


@task(trigger_rule=TriggerRule.ONE_FAILED)
def restore_service(workload: str, target: DeployTarget | None) -> Rollout:
    """Rolls the service back to what it ran before; skipped when ECS did so by itself."""
    with outcomes(skip=NothingToDoError):
        return pipeline.restore(target, service(workload))


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
            environment={
                "BUNDLE_URI": target["bundle_uri"],
                "BUNDLE_DIGEST": target["bundle_digest"],
                "MODEL_VERSION": target["version"],
                "WORKLOAD": name,
            },
            desired_count=workload.serving.desired_count,
        )
        rollout = EcsRollout(**ecs, **{arn: pulled("submit_rollout", arn) for arn in ARNS})
        sense = JobSensor(task_id="sense_rollout", task_group=rolling, job=rollout, **wait)
        verified: Any = verify(name, target)
        target >> submit >> sense >> verified >> go_live(name, target, output(submit))
        [sense, verified] >> reject_version(name, target, output(submit))
        restored: Any = restore_service(name, target)
        rollback = EcsRollout(**ecs, **{arn: restored[arn] for arn in ARNS})
        [sense, verified] >> restored >> JobSensor(task_id="sense_restore", job=rollback, **wait)
    return dag


for _workload in discover()[0]:
    deploy(_workload)
