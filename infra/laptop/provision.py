"""Makes the stack's AWS resources, in one of two ways: with boto3 (``bootstrap``), or with Terraform.

Both read the same data files (``infra/definitions``). The bootstrap is quick and needs nothing; Terraform makes on the
local cloud what it makes on AWS (``make run IAC=terraform``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from include.workloads import discover
from infra.laptop import bootstrap, cloud, history_source, service_ports, terraform
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Resources, code, data, deadlines, inbox
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.config import Iac, LaptopConfig, LaptopError
from infra.laptop.free_ports import HOST
from infra.laptop.postgres import Postgres
from infra.package.build import Build, stamp

_FILE = "iac"  # in the run folder
_DEFAULT: Iac = "bootstrap"


def create_resources(config: LaptopConfig, aws: Aws, postgres: Postgres, report: Callable[[str], None]) -> Resources:
    """Creates the resources that do not exist, in the way that the run folder was begun with.

    Raises:
        LaptopError: A resource cannot be made, or the run folder was begun in the other way.
    """
    way = chosen(config)
    report(f"AWS resources ({way})")
    made = (
        _by_terraform(config, aws, postgres)
        if way == "terraform"
        else bootstrap.create_resources(config, aws, postgres)
    )
    inbox.create(aws)
    (config.state / _FILE).write_text(way)
    return made


def chosen(config: LaptopConfig) -> Iac:
    """The way of the run folder; in a new one, that of the settings.

    Raises:
        LaptopError: The settings name the other one.
    """
    file = config.state / _FILE
    begun = next((way for way in get_args(Iac) if file.is_file() and file.read_text() == way), None)
    if begun and config.iac not in (None, begun):
        raise LaptopError(
            f"The AWS resources of {config.state} were made by {begun}, not by {config.iac}. Run `make clean` first, "
            "or leave out IAC."
        )
    return begun or config.iac or _DEFAULT


def _by_terraform(config: LaptopConfig, aws: Aws, postgres: Postgres) -> Resources:
    """Applies Terraform, then adds what is no resource: code, and the passwords of this machine's PostgreSQL."""
    discovered, errors = discover()
    build = stamp()
    names = [workload.name for workload in discovered]
    ports = service_ports.assign(config, names, offsets=history_source.port_offsets(names))
    listening = {workload.name: ports[workload.name] for workload in discovered}
    outputs = terraform.apply(config, variables(build, listening, config))
    settings = bootstrap.settings()
    _require_same(outputs["settings"], settings.to_env())
    code.upload(aws, NAMES.artifact, build)
    deadlines.update_code(aws)
    for workload in discovered:
        data.put_database_secret(aws, workload, postgres)
    urls = {workload.name: f"http://{HOST}:{ports[workload.name]}" for workload in discovered}
    left_out = {error.workload: str(error) for error in errors}
    return Resources(settings, tuple(discovered), build.code_sha, urls, left_out)


def variables(build: Build, ports: dict[str, int], config: LaptopConfig) -> dict[str, object]:
    """Terraform's variables for a stack of this build.

    Args:
        build: The packaged code.
        ports: Port of each workload's listener.
        config: The stack, which has the file of the nights that a person has asked for.
    """
    release = {
        **terraform.EXAMPLE_RELEASE,  # MWAA's files: the laptop has no MWAA environment
        "code_sha": build.code_sha,
        "serving_image": cloud.SERVING_IMAGE,
        "training_image": cloud.TRAINING_IMAGE,
        "training_gpu_image": cloud.TRAINING_GPU_IMAGE,
    }
    return {
        "release": release,
        "local_listener_ports": ports,
        "local_nights_file": str(config.nights_file),
    }


def _require_same(of_terraform: dict[str, str], of_laptop: dict[str, str]) -> None:
    """Airflow starts beside Terraform, with the settings that the laptop knows before.

    Raises:
        LaptopError: Terraform made resources with other names.
    """
    differences = [
        f"  {name}: Terraform has {value}, the laptop {of_laptop.get(name)}"
        for name, value in sorted(of_terraform.items())
        if of_laptop.get(name) != value
    ]
    if differences:
        raise LaptopError(
            "Terraform's output `settings` is not what the laptop expects. Correct infra/terraform/settings.tf or "
            "infra/laptop/bootstrap:\n" + "\n".join(differences)
        )
