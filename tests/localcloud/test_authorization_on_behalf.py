"""What a service does for a role without a request of its own is allowed by the role's policies, or fails as on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.glue_runs import finished
from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow, document

pytestmark = pytest.mark.stack

ECR = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/app/service:1"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]


@pytest.fixture(scope="module")
def server(start_cloud: Callable[..., Cloud]) -> Cloud:
    """A server of this module's own, with an image in ECR."""
    server = start_cloud(images={ECR: {"python": "/bin/sh", "cwd": "/tmp", "command": ["sh", "-c", "echo ran"]}})
    server.client("ecs").create_cluster(clusterName="test")
    return server


def make_role(server: Cloud, name: str, service: str, *statements: dict[str, Any]) -> str:
    """A role that only this service may assume."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    iam = server.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn


def stopped_task(server: Cloud, name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """Runs a task with this execution role to its end."""
    ecs = server.client("ecs")
    ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=make_role(server, name, "ecs-tasks.amazonaws.com", *statements),
        containerDefinitions=[
            {
                "name": "main",
                "image": ECR,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": f"/ecs/{name}", "awslogs-stream-prefix": "service"},
                },
            }
        ],
    )
    arn = ecs.run_task(cluster="test", taskDefinition=name, launchType="FARGATE")["tasks"][0]["taskArn"]

    def stopped() -> dict[str, Any] | None:
        task: dict[str, Any] = ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    ended: dict[str, Any] = server.wait_until(stopped)
    return ended


def test_ecs_pulls_and_logs_with_the_execution_role(server: Cloud) -> None:
    task = stopped_task(server, "whole", allow(["ecr:GetAuthorizationToken", *PULL, *LOGS]))
    assert task["containers"][0]["exitCode"] == 0, task
    asked = {entry["action"] for line in server.requests() for entry in line.get("iam", ()) if "/whole" in line["role"]}
    assert asked == {"ecr:GetAuthorizationToken", *PULL, *LOGS}


def test_a_task_whose_image_may_not_be_pulled_does_not_start(server: Cloud) -> None:
    task = stopped_task(server, "no-pull", allow(["ecr:GetAuthorizationToken", PULL[0], *LOGS]))
    assert task["stoppedReason"].startswith("CannotPullContainerError")
    assert f"not authorized to perform: {PULL[1]} on resource" in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]


def test_a_task_whose_log_may_not_be_written_does_not_start(server: Cloud) -> None:
    task = stopped_task(server, "no-log", allow(["ecr:GetAuthorizationToken", *PULL]))
    assert "ResourceInitializationError" in task["stoppedReason"] and LOGS[0] in task["stoppedReason"]


def test_a_training_job_whose_image_may_not_be_pulled_fails(server: Cloud) -> None:
    sagemaker = server.client("sagemaker")
    role = make_role(server, "trainer", "sagemaker.amazonaws.com", allow(LOGS))
    sagemaker.create_training_job(
        TrainingJobName="no-pull",
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": ECR, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://none/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName="no-pull")
        return job if job["TrainingJobStatus"] == "Failed" else None

    job: dict[str, Any] = server.wait_until(ended)
    assert "ecr:GetAuthorizationToken" in job["FailureReason"]


def test_a_glue_run_that_may_not_log_runs_without_a_log_in_cloudwatch(
    cloud: Cloud, glue_job: Any, glue_scripts: str
) -> None:
    role = make_role(cloud, "silent", "glue.amazonaws.com", allow("s3:GetObject"))
    name = glue_job("ok.py", Role=role)
    run = cloud.client("glue").start_job_run(JobName=name)["JobRunId"]
    assert finished(cloud, name, run)["JobRunState"] == "SUCCEEDED"
    logs = cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix="/aws-glue")["logGroups"]]
    found = [logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=run)["logStreams"] for group in groups]
    assert not any(found)
    assert "argv" in (cloud.state / "logs" / "aws-glue" / "jobs" / "output" / run).read_text()


def test_firehose_delivers_with_the_role_of_its_destination(server: Cloud) -> None:
    s3, firehose = server.client("s3"), server.client("firehose")
    s3.create_bucket(Bucket="delivered")
    tls_only = {"Bool": {"aws:SecureTransport": "false"}}
    refused = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::delivered/*"}
    s3.put_bucket_policy(Bucket="delivered", Policy=document({**refused, "Condition": tls_only}))
    role = make_role(server, "deliverer", "firehose.amazonaws.com")
    firehose.create_delivery_stream(
        DeliveryStreamName="log",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": role, "BucketARN": "arn:aws:s3:::delivered", "Prefix": "predictions/"
        },
    )  # fmt: skip
    put = {"DeliveryStreamName": "log", "Records": [{"Data": json.dumps({"a": 1}).encode()}]}
    with pytest.raises(firehose.exceptions.InvalidArgumentException, match="s3:PutObject on resource"):
        firehose.put_record_batch(**put)
    assert "Contents" not in s3.list_objects_v2(Bucket="delivered")
    permission = document(allow("s3:PutObject", "arn:aws:s3:::delivered/predictions/*"))
    server.client("iam").put_role_policy(RoleName="deliverer", PolicyName="own", PolicyDocument=permission)
    assert firehose.put_record_batch(**put)["FailedPutCount"] == 0
    assert len(s3.list_objects_v2(Bucket="delivered")["Contents"]) == 1
