"""Glue jobs and catalog, the Athena work group, model package groups."""

from __future__ import annotations

import contextlib

from include.lake import layout
from include.lake.uris import s3_uri
from include.settings import Settings
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.package.build import Build
from infra.package.glue import ARCHIVE

GLUE_VERSION = "6.0"
TIMEOUT_MINUTES = 60
LOG_GROUPS = (
    "/aws-glue/jobs/output",
    "/aws-glue/jobs/error",
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/ProcessingJobs",
)


def create(aws: Aws, settings: Settings, role_arn: str, build: Build) -> None:
    """Creates the Glue database, both Glue jobs with this build's scripts, the work group and the log groups."""
    with contextlib.suppress(aws.glue.exceptions.AlreadyExistsException):
        aws.glue.create_database(DatabaseInput={"Name": settings.glue_database})
    prefix = s3_uri(settings.artifact_bucket, layout.code_prefix(build.code_sha))
    for name, script in ((settings.glue_transform_job, "transform"), (settings.glue_audit_job, "audit")):
        put_glue_job(aws, name, role_arn, f"{prefix}{script}.py", prefix + ARCHIVE)
    results = {"ResultConfiguration": {"OutputLocation": s3_uri(settings.artifact_bucket, "athena-results/")}}
    if settings.athena_workgroup not in {group["Name"] for group in aws.athena.list_work_groups()["WorkGroups"]}:
        aws.athena.create_work_group(Name=settings.athena_workgroup, Configuration=results)
    for group in LOG_GROUPS:
        create_log_group(aws, group)


def put_glue_job(aws: Aws, name: str, role_arn: str, script: str, archive: str) -> None:
    """Creates the job, or updates the existing one to this build."""
    definition = {
        "Role": role_arn,
        "Command": {"Name": "glueetl", "ScriptLocation": script, "PythonVersion": "3"},
        "DefaultArguments": {"--extra-py-files": archive, "--enable-continuous-cloudwatch-log": "true"},
        "ExecutionProperty": {"MaxConcurrentRuns": 3},
        "MaxRetries": 0,
        "Timeout": TIMEOUT_MINUTES,
        "GlueVersion": GLUE_VERSION,
        "WorkerType": "G.1X",
        "NumberOfWorkers": 2,
    }
    try:
        aws.glue.get_job(JobName=name)
    except aws.glue.exceptions.EntityNotFoundException:
        aws.glue.create_job(Name=name, **definition)
    else:
        aws.glue.update_job(JobName=name, JobUpdate=definition)


def create_model_group(aws: Aws, workload: Workload) -> None:
    """Creates the model package group of the workload's versions."""
    name = layout.model_group(workload.name)
    groups = aws.sagemaker.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    if name not in {group["ModelPackageGroupName"] for group in groups}:
        aws.sagemaker.create_model_package_group(
            ModelPackageGroupName=name, ModelPackageGroupDescription=workload.description
        )


def create_log_group(aws: Aws, name: str) -> None:
    """Creates the log group if it does not exist."""
    with contextlib.suppress(aws.logs.exceptions.ResourceAlreadyExistsException):
        aws.logs.create_log_group(logGroupName=name)
