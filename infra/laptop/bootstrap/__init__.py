"""Creates the AWS resources that Terraform creates on AWS. Idempotent: what is there is kept or brought up to date."""

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
class Platform:
    """What the rest of the runner needs to know about what was created."""

    settings: Settings
    workloads: tuple[Workload, ...]
    code_sha: str
    service_urls: dict[str, str]
    roles: dict[str, str]


def bootstrap(config: LaptopConfig, aws: Aws, postgres: Postgres) -> Platform:
    """Creates everything; raises :class:`LaptopError` when no workload can be loaded."""
    workloads, errors = discover()
    if errors or not workloads:
        listed = "\n".join(f"  {error}" for error in errors) or "  none found below include/workloads/"
        raise LaptopError(f"Workloads could not be loaded:\n{listed}")
    arns = roles.create(aws, LAKE_BUCKET, ARTIFACT_BUCKET)
    data.create_buckets(aws, (LAKE_BUCKET, ARTIFACT_BUCKET))
    build = code.stamp()
    code.upload(aws, ARTIFACT_BUCKET, build)
    topic = data.create_shared(aws)
    settings = Settings(
        region=REGION,
        lake_bucket=LAKE_BUCKET,
        artifact_bucket=ARTIFACT_BUCKET,
        training_image=cloud.TRAINING_IMAGE,
        serving_image=cloud.SERVING_IMAGE,
        training_role_arn=arns["sagemaker"],
        alerts_topic_arn=topic,
        poll_seconds=1,
    )
    data.create_state_table(aws, settings.state_table)
    jobs.create(aws, settings, arns["glue"], build)
    urls = {}
    network = services.create_shared(aws, settings)
    for number, workload in enumerate(workloads):
        data.create_sources(aws, workload, postgres)
        data.create_prediction_log(aws, LAKE_BUCKET, workload)
        jobs.create_model_group(aws, workload)
        urls[workload.name] = services.create(aws, settings, network, workload, arns, config.service_port + number)
    return Platform(settings, tuple(workloads), build.code_sha, urls, arns)
