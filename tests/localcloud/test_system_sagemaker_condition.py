"""The provider's condition on a training job's metrics decides which tasks of a DAG run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun, system_training

pytestmark = pytest.mark.stack
BUCKET = "system-condition"
METRIC = (
    "{{ ti.xcom_pull('train')['Training']['FinalMetricDataList']"
    " | selectattr('MetricName', 'eq', '%s') | map(attribute='Value') | first }}"
)


@pytest.fixture
def trained(cloud: Cloud, job_role: Callable[..., str], system_run: Callable[..., SystemRun]) -> SystemRun:
    """A run whose task ``train`` has returned a training job with metrics."""
    from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator

    cloud.client("s3").create_bucket(Bucket=BUCKET)
    cloud.client("s3").put_object(Bucket=BUCKET, Key="split/train.csv", Body="late,1\nearly,2\n")
    role = job_role("sagemaker", allow("s3:*", [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]))
    job = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/gated"
    run = system_run(
        allow(["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob"], job),
        allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
        allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"),
        allow("iam:PassRole", role),
    )
    config = system_training("gated", role, BUCKET)
    run.execute(SageMakerTrainingOperator, "train", config=config, check_interval=1, print_log=False)
    return run


def skipped(run: SystemRun, **condition: Any) -> set[str]:
    """Which of the tasks ``deploy`` and ``retrain`` the condition skips."""
    from airflow.providers.amazon.aws.operators.sagemaker import SageMakerConditionOperator
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    with DAG("system", schedule=None):
        gate = SageMakerConditionOperator(task_id="gate", if_task_ids="deploy", else_task_ids="retrain", **condition)
        gate >> [EmptyOperator(task_id="deploy"), EmptyOperator(task_id="retrain")]
    with pytest.raises(DownstreamTasksSkipped) as caught:
        run.finish(gate)
    return {name for name, _ in caught.value.tasks}


def compare(kind: str, metric: str, value: float) -> dict[str, Any]:
    return {"type": kind, "left_value": METRIC % metric, "right_value": value}


def test_the_metrics_of_a_training_job_choose_the_branch(trained: SystemRun) -> None:
    good = [compare("GreaterThanOrEqualTo", "accuracy", 0.9), compare("LessThan", "loss", 0.1)]
    assert skipped(trained, conditions=good) == {"retrain"}
    assert skipped(trained, conditions=[*good, compare("Equals", "loss", 0.05)]) == {"deploy"}
    flat = {"condition_type": "GreaterThan", "left_value": METRIC % "accuracy", "right_value": 0.95}
    assert skipped(trained, **flat) == {"deploy"}
    either = {"type": "Or", "conditions": [compare("LessThan", "accuracy", 0.5), compare("LessThan", "loss", 0.1)]}
    neither = {"type": "Not", "condition": compare("Equals", "accuracy", 0.5)}
    assert skipped(trained, conditions=[either, neither]) == {"retrain"}
