"""Target tracking on a real service: its tasks start and stop by the metric, within the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.ecs_services import CLUSTER, described, tasks_of
from tests.support.ecs_tasks import define, start_script_cloud
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack

NAME = "scaled"
RESOURCE = f"service/{CLUSTER}/{NAME}"
NAMED = {"ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount"}


@pytest.fixture(scope="module")
def scaled(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A service with one task, which may have three, and a policy."""
    cloud = start_script_cloud(start_cloud, tmp_path_factory.mktemp("scaled"))
    ecs = cloud.client("ecs")
    definition = define(ecs, NAME, command=["python", "script.py", "0", "600"])
    ecs.create_service(
        cluster=CLUSTER, serviceName=NAME, taskDefinition=definition, launchType="FARGATE", desiredCount=1,
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )  # fmt: skip
    cloud.wait_until(lambda: len(running(cloud)) == 1)
    scaling = cloud.client("application-autoscaling")
    scaling.register_scalable_target(**NAMED, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **NAMED,
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10,
            "CustomizedMetricSpecification": {"Namespace": "Scaled", "MetricName": "Queue", "Statistic": "Average"},
            "ScaleOutCooldown": 5,
            "ScaleInCooldown": 5,
        },
    )
    yield cloud
    ecs.delete_service(cluster=CLUSTER, service=NAME, force=True)


def running(cloud: Cloud) -> list[dict[str, Any]]:
    return [task for task in tasks_of(cloud.client("ecs"), NAME) if task["lastStatus"] == "RUNNING"]


def put(cloud: Cloud, value: float, minutes: int, weight: int = 1) -> None:
    """Puts a value into each of the last minutes; one with more weight outweighs what is there."""
    end = datetime.now(UTC).replace(second=30, microsecond=0)
    data = [
        {"MetricName": "Queue", "Values": [value], "Counts": [weight], "Timestamp": end - timedelta(minutes=ago)}
        for ago in range(minutes + 1)
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace="Scaled", MetricData=data)


def test_tasks_start_and_stop_by_the_metric(scaled: Cloud) -> None:
    ecs, scaling = scaled.client("ecs"), scaled.client("application-autoscaling")
    put(scaled, 90, 4)
    scaled.wait_until(lambda: described(ecs, NAME)["desiredCount"] == 3)
    scaled.wait_until(lambda: len(running(scaled)) == 3)
    put(scaled, 1, 17, weight=10_000)
    scaled.wait_until(lambda: described(ecs, NAME)["desiredCount"] == 1)
    scaled.wait_until(lambda: len(running(scaled)) == 1)
    newest, oldest = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=RESOURCE)[
        "ScalingActivities"
    ]
    assert newest["Description"] == "Setting desired count to 1." and "below 9 for 15 minutes" in newest["Cause"]
    assert oldest["StatusMessage"] == "Successfully set desired count to 3 (it was 1)."
    assert (
        scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId="service/x/y")["ScalingActivities"] == []
    )


def test_a_suspended_target_stays_as_it_is(scaled: Cloud) -> None:
    ecs, scaling = scaled.client("ecs"), scaled.client("application-autoscaling")
    scaling.register_scalable_target(**NAMED, SuspendedState={"DynamicScalingOutSuspended": True})
    put(scaled, 900, 4, weight=100_000_000)
    with pytest.raises(AssertionError, match="did not become true"):
        scaled.wait_until(lambda: described(ecs, NAME)["desiredCount"] > 1, seconds=15)
    scaling.register_scalable_target(**NAMED, SuspendedState={"DynamicScalingOutSuspended": False})
    scaled.wait_until(lambda: described(ecs, NAME)["desiredCount"] == 3)
