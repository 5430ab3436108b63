"""Creates Nightjar's AWS resources in the local cloud. Idempotent: existing resources are updated or kept."""

from __future__ import annotations

from dataclasses import dataclass

from include.settings import Settings
from include.workloads import Workload, discover
from infra.laptop import cloud
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import code, data, jobs, roles, services
from infra.laptop.config import REGION, LaptopConfig, LaptopError
from infra.laptop.postgres import Postgres

LAKE_BUCKET = "nightjar-lake"
ARTIFACT_BUCKET = "nightjar-artifact"


@dataclass(frozen=True)
class Resources:
    """The AWS resources that were created.

    Attributes:
        settings: The settings of the DAGs, which name the resources.
        service_urls: URL of the load balancer by workload.
        roles: Role ARN by short name, for example ``airflow``.
    """

    settings: Settings
    workloads: tuple[Workload, ...]
    code_sha: str
    service_urls: dict[str, str]
    roles: dict[str, str]


def settings() -> Settings:
    """The settings of the DAGs. They name resources, and are known before those exist."""
    return Settings(
        region=REGION,
        lake_bucket=LAKE_BUCKET,
        artifact_bucket=ARTIFACT_BUCKET,
        training_image=cloud.TRAINING_IMAGE,
        serving_image=cloud.SERVING_IMAGE,
        training_role_arn=roles.arn("sagemaker"),
        alerts_topic_arn=data.ALERTS_TOPIC_ARN,
        poll_seconds=1,
        default_day="next",  # the data are replayed: yesterday has none
    )


def create_resources(config: LaptopConfig, aws: Aws, postgres: Postgres) -> Resources:
    """Creates all resources that :func:`settings` names.

    Raises:
        LaptopError: A workload cannot be loaded, or there is none.
    """
    workloads, errors = discover()
    if errors or not workloads:
        listed = "\n".join(f"  {error}" for error in errors) or "  include/workloads/ contains no workload"
        raise LaptopError(f"Workloads could not be loaded. Fix these errors:\n{listed}")
    names = settings()
    arns = roles.create(aws, LAKE_BUCKET, ARTIFACT_BUCKET)
    data.create_buckets(aws, (LAKE_BUCKET, ARTIFACT_BUCKET))
    build = code.stamp()
    code.upload(aws, ARTIFACT_BUCKET, build)
    data.create_shared(aws)
    data.create_state_table(aws, names.state_table)
    jobs.create(aws, names, arns["glue"], build)
    urls = {}
    network = services.create_shared(aws, names)
    for number, workload in enumerate(workloads):
        data.create_sources(aws, workload, postgres)
        data.create_prediction_log(aws, LAKE_BUCKET, workload, arns["firehose"])
        jobs.create_model_group(aws, workload)
        urls[workload.name] = services.create(aws, names, network, workload, arns, config.service_port + number)
    return Resources(names, tuple(workloads), build.code_sha, urls, arns)
