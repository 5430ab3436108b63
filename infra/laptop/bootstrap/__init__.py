"""Creates Nightjar's AWS resources in the local cloud. Idempotent: existing resources are updated or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from include.settings import Settings
from include.workloads import Workload, discover
from infra.laptop import cloud, history_source, service_ports
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import (
    alarms,
    code,
    dashboard,
    data,
    deadlines,
    drops,
    failed_jobs,
    jobs,
    keys,
    roles,
    scaling,
    services,
)
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import REGION, LaptopConfig, LaptopError
from infra.laptop.postgres import Postgres
from infra.package.build import stamp


@dataclass(frozen=True)
class Resources:
    """The AWS resources that were created.

    Attributes:
        settings: The settings of the DAGs, which name the resources.
        workloads: The workloads whose resources exist.
        service_urls: URL of the service by workload, through the load balancer.
        left_out: Name of each workload that could not be used → why.
    """

    settings: Settings
    workloads: tuple[Workload, ...]
    code_sha: str
    service_urls: dict[str, str]
    left_out: dict[str, str]


def settings() -> Settings:
    """The settings of the DAGs. They name resources, and are known before those exist."""
    return Settings(
        region=REGION,
        raw_bucket=NAMES.raw,
        lake_bucket=NAMES.lake,
        artifact_bucket=NAMES.artifact,
        training_image=cloud.TRAINING_IMAGE,
        training_gpu_image=cloud.TRAINING_GPU_IMAGE,
        serving_image=cloud.SERVING_IMAGE,
        training_role_arn=Role("sagemaker").arn,
        alerts_topic_arn=data.ALERTS_TOPIC_ARN,
        poll_seconds=0.5,  # a request costs little here, and a night waits for ten jobs and runs
        default_day="next",  # the data are replayed: yesterday has none
        retention_floor_days=0,  # the disk is small, and a submit that finds its files gone is triggered with fresh
        wait_deadlines=False,  # a replay may be continued weeks later
    )


def create_resources(config: LaptopConfig, aws: Aws, postgres: Postgres) -> Resources:
    """Creates all resources that :func:`settings` names.

    A workload that does not load, or whose resources AWS refuses, is left out. The others are not affected.

    Raises:
        LaptopError: No workload is left, a port is taken, or the run folder is of an earlier version.
    """
    discovered, errors = discover()
    left_out = {error.workload: str(error) for error in errors}
    _require_one(discovered, left_out)
    names = settings()
    keys.create(aws)
    roles.create(aws, [workload.name for workload in discovered])
    roles.allow_extras(aws, {name for workload in discovered for name, spec in workload.deploy if spec})
    data.create_buckets(aws)
    build = stamp()
    code.upload(aws, NAMES.artifact, build)
    data.create_shared(aws)
    data.create_state_table(aws)
    deadlines.create(aws, config, names.state_table)
    failed_jobs.create(aws)
    alarms.create_shared(aws)
    jobs.create(aws, build)
    network, balancer = services.create_shared(aws, names)
    known = [workload.name for workload in discovered]
    ports = service_ports.assign(config, known, services.listening(aws), history_source.port_offsets(known))
    services.move_listeners(aws, ports)
    urls, shown = {}, {}
    for workload in discovered:
        try:
            data.create_stream(aws, workload)
            data.put_database_secret(aws, workload, postgres)
            data.create_prediction_log(aws, workload.name)
            data.create_prediction_table(aws, workload.name)
            drops.create(aws, workload.name)
            jobs.create_model_group(aws, workload)
            urls[workload.name] = services.create(aws, names, network, balancer, workload, ports[workload.name])
            named = alarms.dimensions(aws, workload.name)
            alarms.create(aws, workload, named)
            scaling.create(aws, workload, named)
            shown[workload.name] = (workload, named)
        except ClientError as error:
            left_out[workload.name] = f"include/workloads/{workload.name}: its resources cannot be created: {error}"
    dashboard.create(aws, shown)
    created = tuple(workload for workload in discovered if workload.name in urls)
    _require_one(created, left_out)
    return Resources(names, created, build.code_sha, urls, left_out)


def _require_one(workloads: Sequence[Workload], left_out: dict[str, str]) -> None:
    if not workloads:
        listed = "\n".join(left_out.values()) or "include/workloads/ contains no workload"
        raise LaptopError(f"There is no workload that can be used. Fix these errors:\n{listed}")
