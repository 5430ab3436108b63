"""A job of SageMaker that has ended is an event, and the matches of a rule are a metric: the alarm of failed jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import definition
from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.sagemaker_jobs import ended_job, start_job_cloud, training

pytestmark = pytest.mark.stack

RULE = definition("failed_jobs")["rule"]
QUEUE = "failed-jobs"


@pytest.fixture(scope="module")
def jobs(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """A server with a training image, and the rule of failed jobs, whose target is a queue."""
    cloud = start_job_cloud(start_cloud, tmp_path_factory.mktemp("image"))
    events = cloud.client("events")
    cloud.client("sqs").create_queue(QueueName=QUEUE)
    events.put_rule(**{**RULE, "EventPattern": json.dumps(RULE["EventPattern"])})
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}", "InputPath": "$.detail"}
    events.put_targets(Rule=RULE["Name"], Targets=[target])
    return cloud


def matches(cloud: Cloud) -> float:
    """How often the rule has matched."""
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName="TriggeredRules",
        Dimensions=[{"Name": "RuleName", "Value": RULE["Name"]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in found))


def test_only_failed_jobs_of_dags_are_counted_and_sent(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    for name, behave in (("nj-good", "well"), ("other-bad", "fail"), ("nj-bad", "fail")):
        sagemaker.create_training_job(**training(name, behave=behave))
        ended_job(jobs, name)
    jobs.wait_until(lambda: matches(jobs) == 1.0)
    sqs = jobs.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    # The match is counted before the event is delivered.
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)["Messages"]
    detail: dict[str, Any] = json.loads(message["Body"])
    assert (detail["TrainingJobName"], detail["TrainingJobStatus"]) == ("nj-bad", "Failed")
    assert "the data is bad" in detail["FailureReason"]
    assert isinstance(detail["CreationTime"], int)
