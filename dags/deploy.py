"""# Deploy a model version

Brings one approved version of a workload's model into its ECS service: rolled out, sensed, verified, then made the live one.

**Runs** when a retrain registered an approved version, or when a person asks for one (see the Params). One run at a time;
nothing else changes what serves.

**Green** means: the deployment is successful in ECS's words, its task definition is the requested one, `/version` through the
load balancer is the requested digest five times in a row, and the golden rows score as in training.

**Red**: the version becomes Rejected and is not tried again, and the service is rolled back (by ECS, else by
`restore_service`). A refusal (on hold, Rejected, older data than the live version) is *skipped* with its reason in an
automatic run and red in a manual one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.build import code_sha
from nightjar.jobs.ecs.sensor import EcsRolloutSensor
from nightjar.jobs.ecs.service import EcsServiceHook
from nightjar.jobs.ecs.submit import SubmitRolloutOperator
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.operators.restore import RejectVersionOperator, RestoreServiceOperator
from nightjar.operators.verify import VerifyServiceOperator
from nightjar.params import flag_param
from nightjar.runs import dag_options, pulled, waiting
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.lake import layout
from include.pipelines.deploy import rollout as deploying
from include.pipelines.deploy.choose import Refusal
from include.settings import settings
from include.workloads import Workload, discover

CONFIG = settings()
AUTOMATIC = ("asset_triggered", "scheduled")
ROLLOUT_SECONDS = 1800
PARAMS = {
    "version": Param(
        None,
        type=["null", "integer", "string"],
        description="A number; latest (or nothing): the newest approved; previous: back to what was live before, and automatic "
        "deploys are on hold from then on",
    ),
    "release_hold": flag_param("Release the hold that a deploy of previous has set"),
    "dry_run": flag_param("Say what would be deployed and change nothing"),
}


@task
def resolve(workload: str, params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """The version to deploy; a refusal is skipped in an automatic run and red in a manual one."""
    code_sha(BUILD_FILE)
    automatic = dag_run.run_type in AUTOMATIC
    try:
        target = deploying.resolve(
            workload,
            params,
            automatic=automatic,
            state=StateHook(CONFIG.state_table),
            service=EcsServiceHook(CONFIG.ecs_cluster, layout.service_name(workload), region_name=CONFIG.region),
            registry=RegistryHook(layout.model_group(workload), region_name=CONFIG.region),
        )
    except Refusal as refusal:
        raise (AirflowSkipException if automatic else AirflowFailException)(str(refusal)) from None
    if params["dry_run"]:
        raise AirflowSkipException(
            f"Dry run: would deploy version {target['version']} in place of {target['live_version']}."
        )
    return target


@task
def go_live(
    workload: str, target: dict[str, Any], rollout: dict[str, Any], params: Any = None, run_id: Any = None
) -> dict[str, Any]:
    """Writes the live pointer."""
    registry = RegistryHook(layout.model_group(workload), region_name=CONFIG.region)
    state = StateHook(CONFIG.state_table)
    definition, release = rollout["task_definition"], params["release_hold"]
    return deploying.go_live(workload, target, definition, release, run_id, state=state, registry=registry)


def deploy(workload: Workload) -> DAG:
    """The DAG ``<workload>_deploy``."""
    name = workload.name
    ecs = {"cluster": CONFIG.ecs_cluster, "service": layout.service_name(name)}
    sensing = {**ecs, **waiting(CONFIG.poll_seconds, ROLLOUT_SECONDS)}
    with DAG(
        f"{name}_deploy",
        doc_md=__doc__,
        description=f"Deploys an approved model version of {name}",
        schedule=Asset(f"nightjar://{name}/approved-model"),
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=3),
        params=PARAMS,
        **dag_options("deploy", name, workload.owner, CONFIG.alerts_topic_arn, region_name=CONFIG.region),
    ) as dag:
        target = resolve(name)
        submit = SubmitRolloutOperator(
            task_id="submit_rollout",
            **ecs,
            template_family=layout.template_family(name),
            image=CONFIG.serving_image,
            environment={
                "BUNDLE_URI": pulled("resolve", "bundle_uri"),
                "BUNDLE_DIGEST": pulled("resolve", "bundle_digest"),
                "MODEL_VERSION": pulled("resolve", "version"),
                "WORKLOAD": name,
            },
            desired_count=workload.serving.desired_count,
        )
        sense = EcsRolloutSensor(
            task_id="sense_rollout",
            **sensing,
            service_deployment_arn=pulled("submit_rollout", "service_deployment_arn"),
            task_definition=pulled("submit_rollout", "task_definition"),
        )
        verify = VerifyServiceOperator(
            task_id="verify",
            url_parameter=layout.service_url_parameter(name),
            version=pulled("resolve", "version"),
            bundle_digest=pulled("resolve", "bundle_digest"),
            bundle_uri=pulled("resolve", "bundle_uri"),
            api_key_secret=CONFIG.verify_key_secret,
        )
        target >> submit >> sense >> verify >> go_live(name, target, submit.output)

        reject = RejectVersionOperator(
            task_id="reject_version",
            trigger_rule=TriggerRule.ONE_FAILED,
            group=layout.model_group(name),
            target=target,
            rollout=submit.output,
            failures=[
                f"{{{{ ti.xcom_pull(task_ids='{task_id}', key='failure') }}}}"
                for task_id in ("sense_rollout", "verify")
            ],
        )
        restore = RestoreServiceOperator(
            task_id="restore_service", trigger_rule=TriggerRule.ONE_FAILED, **ecs, target=target
        )
        sense_restore = EcsRolloutSensor(
            task_id="sense_restore",
            **sensing,
            service_deployment_arn=pulled("restore_service", "service_deployment_arn"),
            task_definition=pulled("restore_service", "task_definition"),
        )
        [sense, verify] >> reject
        [sense, verify] >> restore >> sense_restore
    return dag


for _workload in discover()[0]:
    deploy(_workload)
