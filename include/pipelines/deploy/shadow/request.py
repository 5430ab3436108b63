"""The request of a shadow job, by the contract of ``include.training.shadow``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypedDict

from include.lake import layout
from include.lake.fingerprint import digest, submit_key
from include.lake.uris import s3_uri
from include.pipelines.attempt import ATTEMPT_KEY
from include.pipelines.processing_job import job_tags, processing_input, processing_output
from include.pipelines.promotion.packages import Package
from include.pipelines.protocols import ObjectStore
from include.settings import Settings
from include.workloads import Workload
from include.workloads.deploying import ShadowSpec

OUTPUT = "shadow"


class PlannedShadow(TypedDict):
    """What the task ``plan_shadow`` returns."""

    name: str
    """The submit key, which is the job's name."""
    request: dict[str, Any]
    """CreateProcessingJob's arguments without the name."""
    hours: list[str]
    """The hours of the prediction log that are read: S3 prefixes, the oldest first."""
    live_version: int
    live_digest: str


def logged_hours(
    workload: str, spec: ShadowSpec, present: datetime, bucket: str, objects: ObjectStore
) -> dict[str, list[str]]:
    """Returns the newest hours in which something was logged: prefix → keys, the oldest first."""
    start = present - timedelta(hours=spec.hours - 1)
    prefixes = [layout.predictions_hour(workload, start + timedelta(hours=number)) for number in range(spec.hours)]
    listed = {prefix: list(objects.keys(bucket, prefix)) for prefix in prefixes}
    return {prefix: keys for prefix, keys in listed.items() if keys}


def shadow_job(
    workload: Workload,
    spec: ShadowSpec,
    settings: Settings,
    code_sha: str,
    versions: tuple[Package, Package],
    hours: dict[str, list[str]],
) -> PlannedShadow:
    """Returns name and request of the job.

    Args:
        workload: The workload.
        spec: Its limits.
        settings: The settings.
        code_sha: Build of the code.
        versions: The live version and the new one.
        hours: What :func:`logged_hours` has found, at least one hour.
    """
    name, (live, candidate) = workload.name, versions
    digests = [package.metadata["bundle_digest"] for package in versions]
    key = submit_key(
        stage="shadow",
        workload=name,
        inputs=digest(hours),
        parameters=[*digests, spec.maximum_requests],
        code_sha=code_sha,
        image=settings.training_image,
    )
    sources = [
        processing_input("live", live.metadata["bundle_uri"]),
        processing_input("candidate", candidate.metadata["bundle_uri"]),
    ]
    for number, prefix in enumerate(hours):
        uri = s3_uri(settings.lake_bucket, prefix)
        sources.append(processing_input(f"log-{number}", uri, f"log/{number}"))
    asked = [
        "--workload",
        name,
        "--requests",
        str(spec.maximum_requests),
        "--live",
        digests[0],
        "--candidate",
        digests[1],
    ]
    output_uri = s3_uri(settings.artifact_bucket, layout.job_prefix(name, "shadow", ATTEMPT_KEY))
    seconds = workload.jobs.evaluation_seconds(workload.model.max_runtime_seconds)
    request = {
        "AppSpecification": {
            "ImageUri": settings.training_image,
            "ContainerEntrypoint": ["python", "-m", "include.training.shadow"],
            "ContainerArguments": asked,
        },
        "RoleArn": settings.training_role_arn,
        "ProcessingInputs": sources,
        "ProcessingOutputConfig": processing_output(OUTPUT, output_uri),
        "ProcessingResources": {"ClusterConfig": workload.jobs.evaluation.cluster(settings.training_instance_type)},
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        "Tags": job_tags(name),
    }
    return {
        "name": f"nj-{name}-shadow-{key}",
        "request": request,
        "hours": list(hours),
        "live_version": live.version,
        "live_digest": digests[0],
    }
