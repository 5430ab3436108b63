"""The provider's SageMaker operators and sensors: a model is trained and registered; what does not run is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.sagemaker_jobs import archive
from tests.support.system_runs import SystemRun, system_training

pytestmark = pytest.mark.stack
BUCKET = "system-sagemaker"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
ROWS = "class,x\n" + "".join(f"{'late' if number % 4 < 2 else 'early'},{number}\n" for number in range(8))


@pytest.fixture(scope="module", autouse=True)
def data(cloud: Cloud) -> None:
    """The bucket with the raw rows."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    cloud.client("s3").put_object(Bucket=BUCKET, Key="raw/input.csv", Body=ROWS)


def start(job_role: Callable[..., str], system_run: Callable[..., SystemRun]) -> tuple[SystemRun, str]:
    """A run that may use SageMaker's resources named ``system-*``, and the role of its jobs."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    jobs = job_role("sagemaker", allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"), allow("s3:ListBucket", bucket))
    run = system_run(
        allow(["s3:PutObject", "s3:GetObject", "s3:ListBucket"], [bucket, f"{bucket}/*"]),
        allow(["sagemaker:Create*", "sagemaker:Describe*", "sagemaker:Delete*"], f"{ARN}:*/system-*"),
        allow("sagemaker:List*"),
        allow("iam:PassRole", jobs, Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        allow(["logs:DescribeLogStreams", "logs:GetLogEvents"], f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/*"),
    )
    return run, jobs


def split(run: SystemRun, role: str) -> None:
    """A processing job that writes ``split/train.csv`` and ``split/test.csv``."""
    from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
    from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerProcessingSensor

    folder = "/opt/ml/processing"
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": "1", "VolumeSizeInGB": "1"}
    config = {
        "ProcessingJobName": "system-split",
        "RoleArn": role,
        "AppSpecification": {"ImageUri": "split:1"},
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": [{"InputName": "raw", "S3Input": {
            "S3Uri": f"s3://{BUCKET}/raw/input.csv", "LocalPath": f"{folder}/input", "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "split", "S3Output": {
            "S3Uri": f"s3://{BUCKET}/split", "LocalPath": f"{folder}/output", "S3UploadMode": "EndOfJob",
        }}]},
    }  # fmt: skip
    run.execute(SageMakerProcessingOperator, config=config, wait_for_completion=False)
    run.execute(SageMakerProcessingSensor, job_name="system-split", timeout=60)


def test_a_model_is_trained_and_registered(
    cloud: Cloud, job_role: Callable[..., str], system_run: Callable[..., SystemRun]
) -> None:
    from airflow.providers.amazon.aws.operators import sagemaker as operators
    from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerTrainingSensor

    run, role = start(job_role, system_run)
    split(run, role)
    body = cloud.client("s3").get_object(Bucket=BUCKET, Key="split/test.csv")["Body"].read().decode()
    assert body.split() == ["1", "3", "5", "7"]

    config = system_training("system-train", role, BUCKET)
    run.execute(operators.SageMakerTrainingOperator, config=config, check_interval=1, wait_for_completion=False)
    run.execute(SageMakerTrainingSensor, job_name="system-train", print_log=True, timeout=60)
    url = f"s3://{BUCKET}/models/system-train/output/model.tar.gz"
    assert json.loads(archive(cloud, url)["centroids.json"]) == {"late": 2.0, "early": 4.0}

    container = {"Image": "centroids:1", "ModelDataUrl": url}
    model = {"ModelName": "system-model", "ExecutionRoleArn": role, "PrimaryContainer": container}
    run.execute(operators.SageMakerModelOperator, config=model)
    register = {"image_uri": "centroids:1", "model_url": url, "package_group_name": "system-group"}
    packages = [
        run.execute(operators.SageMakerRegisterModelVersionOperator, f"v{number}", package_desc=f"{number}", **register)
        for number in (1, 2)
    ]
    sagemaker = cloud.client("sagemaker")
    assert packages == [f"{ARN}:model-package/system-group/{number}" for number in (1, 2)]
    found = sagemaker.describe_model_package(ModelPackageName=packages[1])
    assert found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == url
    assert (found["ModelApprovalStatus"], found["ModelPackageDescription"]) == ("PendingManualApproval", "2")

    run.execute(operators.SageMakerDeleteModelOperator, config={"ModelName": "system-model"})
    assert "system-model" not in [entry["ModelName"] for entry in sagemaker.list_models()["Models"]]


def test_what_no_machine_here_runs_is_refused_at_once(cloud: Cloud, system_run: Callable[..., SystemRun]) -> None:
    from airflow.providers.amazon.aws.operators import sagemaker as operators

    cloud.client("s3").put_object(Bucket=BUCKET, Key="split/train.csv", Body="late,1\n")
    run = system_run(allow(["sagemaker:*", "iam:PassRole", "s3:*"]))
    role = f"arn:aws:iam::{ACCOUNT}:role/training"
    training = system_training("unused", role, BUCKET)
    definition = {name: training[name] for name in training if name not in ("TrainingJobName", "HyperParameters")}
    objective = {"MetricName": "accuracy", "Type": "Maximize"}
    tuning = {
        "HyperParameterTuningJobName": "system-tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian", "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        },
        "TrainingJobDefinition": definition,
    }  # fmt: skip
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/split/train.csv"}}
    transform = {
        "TransformJobName": "system-transform", "ModelName": "system-model",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scores"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }  # fmt: skip
    auto: dict[str, Any] = {
        "job_name": "system-auto", "s3_input": f"s3://{BUCKET}/raw/", "target_attribute": "class",
        "s3_output": f"s3://{BUCKET}/auto", "role_arn": role,
    }  # fmt: skip
    endpoint = {"EndpointName": "system", "EndpointConfigName": "system"}
    refused: list[tuple[type, dict[str, Any], str]] = [
        (operators.SageMakerTuningOperator, {"config": tuning}, "the strategies Random and Grid"),
        (operators.SageMakerTransformOperator, {"config": transform}, "it is not run; training, processing and tuning"),
        (operators.SageMakerAutoMLOperator, auto, "AutoML"),
        (
            operators.SageMakerEndpointOperator,
            {"config": {"Endpoint": endpoint}},
            "no endpoint runs; ECS runs services",
        ),
    ]
    for operator, arguments, reason in refused:
        with pytest.raises(ClientError, match=reason) as caught:
            run.execute(operator, **arguments)
        answer = caught.value.response
        assert answer["Error"]["Code"] == "NotImplementedException"
        assert answer["ResponseMetadata"]["RetryAttempts"] == 0
