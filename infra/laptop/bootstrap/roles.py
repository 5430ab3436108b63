"""IAM roles: one for each runtime, with an inline policy that allows the calls that the runtime makes.

The local cloud records the role of every request, but does not evaluate the policies. There is no Terraform yet; when
there is, its roles must have the same policies.
"""

from __future__ import annotations

import json
from typing import Any

from include.lake import layout
from infra.laptop.aws import Aws
from infra.laptop.config import ACCOUNT, REGION

TRUSTED = {
    "airflow": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"],
    "glue": ["glue.amazonaws.com"],
    "sagemaker": ["sagemaker.amazonaws.com"],
    "ecs-task": ["ecs-tasks.amazonaws.com"],
    "ecs-execution": ["ecs-tasks.amazonaws.com"],
    "firehose": ["firehose.amazonaws.com"],
}


def create(aws: Aws, lake: str, artifact: str) -> dict[str, str]:
    """Creates the roles, or updates their policies.

    Returns:
        The ARN of each role by its short name, for example ``airflow``.
    """
    arns: dict[str, str] = {}
    for short, statements in policies(lake, artifact).items():
        name = f"nightjar-{short}"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": TRUSTED[short]}}
        try:
            arns[short] = aws.iam.get_role(RoleName=name)["Role"]["Arn"]
        except aws.iam.exceptions.NoSuchEntityException:
            arns[short] = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))["Role"]["Arn"]
        aws.iam.put_role_policy(RoleName=name, PolicyName="nightjar", PolicyDocument=_document(statements))
    return arns


def policies(lake: str, artifact: str) -> dict[str, list[dict[str, Any]]]:
    """The policy statements of each role, by its short name."""
    return {
        "airflow": _airflow(lake, artifact),
        "glue": [
            _allow(["s3:GetObject"], _objects(lake, "raw/*"), _objects(artifact, "code/*", "inputs/*")),
            _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], _objects(lake, "staging/*", "quarantine/*")),
            _allow(["s3:PutObject"], _objects(artifact, "data-docs/*")),
            _allow(["s3:ListBucket", "s3:GetBucketLocation"], [_bucket(lake), _bucket(artifact)]),
            _write_logs("/aws-glue/jobs/*"),
        ],
        "sagemaker": [
            _allow(
                ["s3:GetObject"], _objects(lake, "datasets/*"), _objects(artifact, "datasets/*", "jobs/*", "code/*")
            ),
            _allow(["s3:PutObject"], _objects(artifact, "jobs/*")),
            _allow(["s3:ListBucket", "s3:GetBucketLocation"], [_bucket(lake), _bucket(artifact)]),
            _allow(["ecr:GetAuthorizationToken"], ["*"]),
            _allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [_arn("ecr", "repository/nightjar/training")]),
            _write_logs("/aws/sagemaker/*"),
        ],
        "ecs-task": [
            _allow(["s3:GetObject"], _objects(artifact, "jobs/*")),
            _allow(["firehose:PutRecordBatch"], [_arn("firehose", f"deliverystream/{layout.prediction_stream('*')}")]),
        ],
        "ecs-execution": [
            _allow(["ecr:GetAuthorizationToken"], ["*"]),
            _allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [_arn("ecr", "repository/nightjar/serving")]),
            _write_logs("/ecs/nightjar-*"),
        ],
        "firehose": [
            _allow(["s3:PutObject", "s3:AbortMultipartUpload"], _objects(lake, "predictions/*")),
            _allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [_bucket(lake)]),
        ],
    }


def _airflow(lake: str, artifact: str) -> list[dict[str, Any]]:
    return [
        _allow(
            ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"],
            [_arn("kinesis", "stream/nightjar-*")],
        ),
        _allow(["s3:GetObject", "s3:PutObject"], _objects(lake, "*"), _objects(artifact, "*")),
        _allow(["s3:ListBucket", "s3:GetBucketLocation"], [_bucket(lake), _bucket(artifact)]),
        _allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"],
            [_arn("dynamodb", "table/nightjar-state")],
        ),
        _allow(["secretsmanager:GetSecretValue"], [_arn("secretsmanager", "secret:nightjar/*")]),
        _allow(["ssm:GetParameter"], [_arn("ssm", "parameter/nightjar/*")]),
        _allow(
            ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:GetJob", "glue:BatchStopJobRun"],
            [_arn("glue", "job/nightjar-transform"), _arn("glue", "job/nightjar-audit")],
        ),
        _allow(
            [
                *(
                    f"glue:{verb}"
                    for verb in (
                        "GetDatabase",
                        "GetTable",
                        "CreateTable",
                        "UpdateTable",
                        "GetPartition",
                        "GetPartitions",
                    )
                ),
                *(
                    f"glue:{verb}"
                    for verb in ("CreatePartition", "UpdatePartition", "BatchCreatePartition", "BatchUpdatePartition")
                ),
            ],
            [_arn("glue", "catalog"), _arn("glue", "database/nightjar"), _arn("glue", "table/nightjar/*")],
        ),
        _allow(
            [
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
            ],
            [_arn("athena", "workgroup/nightjar")],
        ),
        _allow(
            [
                *(f"sagemaker:{verb}TrainingJob" for verb in ("Create", "Describe", "Stop")),
                *(f"sagemaker:{verb}ProcessingJob" for verb in ("Create", "Describe", "Stop")),
                *(f"sagemaker:{verb}ModelPackage" for verb in ("Create", "Describe", "Update")),
                "sagemaker:AddTags",
            ],
            [
                _arn("sagemaker", f"{kind}/*")
                for kind in ("training-job", "processing-job", "model-package", "model-package-group")
            ],
        ),
        _allow(["sagemaker:ListTrainingJobs", "sagemaker:ListProcessingJobs", "sagemaker:ListModelPackages"], ["*"]),
        _allow(["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:DescribeServiceDeployments"], ["*"]),
        _allow(
            ["ecs:DescribeServices", "ecs:UpdateService", "ecs:ListServiceDeployments"],
            [_arn("ecs", "service/nightjar/*")],
        ),
        _allow(
            ["iam:PassRole"],
            [f"arn:aws:iam::{ACCOUNT}:role/nightjar-{role}" for role in ("sagemaker", "ecs-task", "ecs-execution")],
        ),
        _allow(["sns:Publish"], [_arn("sns", "nightjar-alerts")]),
        _allow(
            ["logs:GetLogEvents", "logs:FilterLogEvents", "logs:DescribeLogStreams"],
            [
                _arn("logs", f"log-group:{group}:*")
                for group in ("/aws-glue/jobs/*", "/aws/sagemaker/*", "/ecs/nightjar-*")
            ],
        ),
    ]


def _allow(actions: list[str], *resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource for group in resources for resource in group]}


def _write_logs(group: str) -> dict[str, Any]:
    return _allow(["logs:CreateLogStream", "logs:PutLogEvents"], [_arn("logs", f"log-group:{group}:*")])


def _bucket(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _objects(bucket: str, *patterns: str) -> list[str]:
    return [f"{_bucket(bucket)}/{pattern}" for pattern in patterns]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
