"""``make plan`` and ``make apply-local``, and the apply of a laptop stack whose resources Terraform makes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.laptop import cloud
from infra.laptop.aws import Aws, operator_key_file
from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.laptop.free_ports import free_port
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter
from infra.laptop.terraform.binary import find
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import WORKLOADS, Workspace, cloud_environment

LOCAL = "local"  # the environment of a local cloud
EXAMPLE_DOMAIN = "nightjar.example.com"
# What a delivery would write: without a release, nothing that needs code or images is planned.
EXAMPLE_RELEASE = {
    "code_sha": "000000000000",
    "serving_image": cloud.SERVING_IMAGE,
    "training_image": cloud.TRAINING_IMAGE,
    "training_gpu_image": cloud.TRAINING_GPU_IMAGE,
    "plugins_key": "releases/000000000000/plugins.zip",
    "requirements_key": "releases/000000000000/requirements.txt",
    "dags_path": "releases/000000000000/dags",
}


def plan(config: LaptopConfig, environment: str, reporter: Reporter | None = None, out: Path | None = None) -> Outcome:
    """Plans an environment against a local cloud, and prints the number of resources by module.

    The stack's local cloud is used while it runs, otherwise one that lives as long as the command.

    Args:
        config: The laptop stack.
        environment: The variable file.
        reporter: Gets the progress.
        out: File for the plan in Terraform's JSON form.

    Raises:
        LaptopError: Terraform is missing, or it found an error.
    """
    reporter = reporter or Reporter()
    with _some_cloud(config, reporter) as running, tempfile.TemporaryDirectory(prefix="nightjar-plan-") as folder:
        workspace = _prepared(running, Path(folder), environment, example_variables(environment), reporter)
        with reporter.stage(f"terraform plan, environment {environment}"):
            outcome = _succeeded(workspace.plan(), "plan", environment)
        if out:
            out.write_text(json.dumps(workspace.planned()))
    for module, count in sorted(outcome.modules.items()):
        reporter.say(f"{count:5} {module}")
    reporter.say(f"{outcome.modules.total():5} resources to make")
    return outcome


def apply_local(config: LaptopConfig, environment: str, reporter: Reporter | None = None) -> None:
    """Applies an environment to a local cloud: the stack's while it runs, otherwise one that lives as long.

    Raises:
        LaptopError: Terraform is missing, or it found an error.
    """
    reporter = reporter or Reporter()
    with _some_cloud(config, reporter) as running:
        outputs = apply(running, example_variables(environment), reporter, environment)
    reporter.say(f"{len(outputs)} outputs: {', '.join(sorted(outputs))}")


def apply(
    config: LaptopConfig, variables: Mapping[str, Any], reporter: Reporter | None = None, environment: str = LOCAL
) -> dict[str, Any]:
    """Applies the configuration to the running local cloud of this run folder, in which the state is kept.

    Args:
        config: The laptop stack.
        variables: Values of Terraform's variables besides those of the environment's file.
        reporter: Gets the progress.
        environment: The variable file.

    Returns:
        The outputs of the root.

    Raises:
        LaptopError: Terraform is missing, or a resource could not be made.
    """
    reporter = reporter or Reporter()
    workspace = _prepared(config, config.state / "terraform" / environment, environment, variables, reporter)
    with reporter.stage(f"terraform apply, environment {environment}"):
        outcome = _succeeded(workspace.apply(), "apply", environment)
        reporter.say(f"{len(outcome.done)} resources are made or changed")
    return workspace.outputs()


def example_variables(environment: str) -> dict[str, Any]:
    """Values with which a whole environment is planned: an example of a release; locally ports, else a domain."""
    if environment != LOCAL:
        return {"release": EXAMPLE_RELEASE, "domain": EXAMPLE_DOMAIN}
    workloads = sorted(file.parent.name for file in (ROOT / WORKLOADS).glob("*/workload.yaml"))
    return {"release": EXAMPLE_RELEASE, "local_listener_ports": {workload: free_port() for workload in workloads}}


def create_public_zone(aws: Aws) -> None:
    """Creates the zone of the example's domain, which on AWS exists before Terraform does; an existing one is kept."""
    zones = aws.route53.list_hosted_zones_by_name(DNSName=EXAMPLE_DOMAIN)["HostedZones"]
    if not any(zone["Name"] == f"{EXAMPLE_DOMAIN}." and not zone["Config"]["PrivateZone"] for zone in zones):
        aws.route53.create_hosted_zone(Name=EXAMPLE_DOMAIN, CallerReference=EXAMPLE_DOMAIN)


def _prepared(
    config: LaptopConfig, folder: Path, environment: str, variables: Mapping[str, Any], reporter: Reporter
) -> Workspace:
    key = json.loads(operator_key_file(config).read_text())
    process_environment = cloud_environment(config.endpoint, key["access_key_id"], key["secret_access_key"])
    workspace = Workspace(find(), folder, environment, process_environment, reporter.doing)
    if "domain" in variables:
        create_public_zone(Aws(config))
    with reporter.stage("terraform init"):
        workspace.prepare(variables)
    return workspace


def _succeeded(outcome: Outcome, command: str, environment: str) -> Outcome:
    """The outcome, if it has no error.

    Raises:
        LaptopError: It has.
    """
    if outcome.code:
        raise LaptopError(
            f"terraform {command} of the environment {environment} failed. Correct the configuration, or the local "
            f"cloud where it refuses what the configuration needs; then run it again.\n\n{outcome.problem()}"
        )
    return outcome


@contextmanager
def _some_cloud(config: LaptopConfig, reporter: Reporter) -> Iterator[LaptopConfig]:
    """The configuration of the stack whose local cloud runs, or of a local cloud that is started for the block."""
    if Supervisor(config.state).find(cloud.NAME):
        yield config
        return
    find()  # before anything is started
    with tempfile.TemporaryDirectory(prefix="nightjar-cloud-") as folder:
        own = LaptopConfig.from_env(run=Path(folder), cloud_port=free_port())
        supervisor = Supervisor(own.state)
        try:
            with reporter.stage("starting a local cloud for this command"):
                cloud.start(own, supervisor)
            yield own
        finally:
            supervisor.stop(cloud.NAME)
