"""Glue jobs and catalog, the Athena work group, model package groups, log groups."""

from __future__ import annotations

import contextlib

from include.lake import layout, resources
from include.lake.uris import s3_uri
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES, definition
from infra.package.build import Build


def create(aws: Aws, build: Build) -> None:
    """Creates the Glue database, the Glue jobs with this build's scripts, the work group and the log groups."""
    code = s3_uri(NAMES.artifact, layout.code_prefix(build.code_sha))
    glue = definition("glue", code=code)
    with contextlib.suppress(aws.glue.exceptions.AlreadyExistsException):
        aws.glue.create_database(DatabaseInput={"Name": glue["database"]})
    for job in glue["jobs"]:
        settings = dict(job)
        name = settings.pop("Name")
        try:
            aws.glue.update_job(JobName=name, JobUpdate=settings)
        except aws.glue.exceptions.EntityNotFoundException:
            aws.glue.create_job(**job)
    _create_work_group(aws)
    for group in definition("logs")["groups"]:
        create_log_group(aws, **group)


def _create_work_group(aws: Aws) -> None:
    group = definition("athena")
    name, configuration = group["Name"], group["Configuration"]
    if name not in {known["Name"] for known in aws.athena.list_work_groups()["WorkGroups"]}:
        aws.athena.create_work_group(Name=name, Configuration=configuration)


def create_model_group(aws: Aws, workload: Workload) -> None:
    """Creates the model package group of the workload's versions."""
    name = resources.model_group(workload.name)
    groups = aws.sagemaker.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    if name not in {group["ModelPackageGroupName"] for group in groups}:
        aws.sagemaker.create_model_package_group(
            ModelPackageGroupName=name, ModelPackageGroupDescription=workload.description
        )


def create_log_group(aws: Aws, logGroupName: str, retentionInDays: int) -> None:  # noqa: N803  # the API's names
    """Creates the log group if it does not exist, and sets how many days it keeps."""
    with contextlib.suppress(aws.logs.exceptions.ResourceAlreadyExistsException):
        aws.logs.create_log_group(logGroupName=logGroupName)
    aws.logs.put_retention_policy(logGroupName=logGroupName, retentionInDays=retentionInDays)
