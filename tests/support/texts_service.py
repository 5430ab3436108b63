"""The real service on the local cloud: two tasks behind a load balancer, as the laptop stack runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.model import bundle
from infra.laptop.free_ports import free_port
from tests.support.bundles import seal_text, text_files
from tests.support.ecs_services import CLUSTER, balance, completed, described, last_rollout, tasks_of
from tests.support.http_load import Load
from tests.support.localcloud import ACCOUNT, ROOT, VENVS, Cloud, base_config, running_cloud

NAME = "texts"
BUCKET = "bundles"
TASK_SIZE = {"cpu": "256", "memory": "512"}  # the smallest of Fargate
STOP_SECONDS = 5
SETTLE_SECONDS = 180
GRACE_SECONDS = 40  # two tasks that start together on two busy cores take more than 20 s


@dataclass
class TextsService:
    """The service "texts" and its versions.

    Attributes:
        definitions: The task definition of each version.
    """

    cloud: Cloud
    ecs: Any
    listener: int
    container_port: int
    target_group: str
    expected: dict[bytes, float]
    definitions: dict[str, str] = field(default_factory=dict)

    def publish(self, version: str, packed: bytes, digest: str | None = None) -> str:
        """Puts a bundle into S3 and registers a task definition that serves it, with a wrong ``digest`` on request."""
        key = f"texts/{version}/bundle.tar.gz"
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed)
        environment = {
            "PORT": str(self.container_port),
            "WORKLOAD": "texts",
            "MODEL_VERSION": version,
            "BUNDLE_URI": f"s3://{BUCKET}/{key}",
            "BUNDLE_DIGEST": digest or bundle.sha256_hex(packed),
            "EXIT_DELAY_SECONDS": "0.5",
            "TRACES_TO_XRAY": "true",
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
        }
        container = {
            "name": "service",
            "image": "serving:1",
            "portMappings": [{"containerPort": self.container_port}],
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "stopTimeout": STOP_SECONDS,
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/texts"}},
        }
        self.definitions[version] = self.ecs.register_task_definition(
            family=NAME, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", containerDefinitions=[container],
            taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/service",
            executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution", **TASK_SIZE,
        )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip
        return self.definitions[version]

    def deploy(self, version: str) -> dict[str, Any]:
        """Deploys a version, waits for the end of the rollout, and returns ECS's description of it."""
        update = self.ecs.update_service(cluster=CLUSTER, service=NAME, taskDefinition=self.definitions[version])
        asked = update["service"]["deployments"][0]["id"]
        self.cloud.wait_until(lambda: last_rollout(self.ecs, NAME).get("finishedAt"))
        self.settle()
        rollout = last_rollout(self.ecs, NAME)
        assert rollout["status"] != "SUCCESSFUL" or described(self.ecs, NAME)["deployments"][0]["id"] == asked
        return rollout

    def settle(self) -> None:
        """Waits until exactly two tasks run, and both are healthy targets of the load balancer."""
        try:
            self.cloud.wait_until(self._is_settled, seconds=SETTLE_SECONDS)
        except AssertionError:
            events = [event["message"] for event in described(self.ecs, NAME)["events"][:8]]
            raise AssertionError(f"{NAME} did not settle, {self.health()}: {events}") from None

    def _is_settled(self) -> bool:
        return bool(completed(self.ecs, NAME)) and self.health() == ["healthy"] * 2 and len(self.tasks()) == 2

    def health(self) -> list[str]:
        """The states of all targets, including those that are draining."""
        elb = self.cloud.client("elbv2")
        targets = elb.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return [target["TargetHealth"]["State"] for target in targets]

    def tasks(self) -> list[dict[str, Any]]:
        """The running tasks, the oldest first."""
        return sorted(tasks_of(self.ecs, NAME), key=lambda task: task["createdAt"])

    def task(self, arn: str) -> dict[str, Any]:
        """One task, also after it has stopped."""
        return self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]

    def is_stopped(self, arn: str) -> bool:
        return self.task(arn)["lastStatus"] == "STOPPED"

    def load(self, *versions: str) -> Load:
        return Load(self.listener, self.expected, set(versions))

    def logged(self, text: str) -> bool:
        """Whether any task of the service logged a line with this text."""
        logs = self.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/ecs/texts")
        return any(text in event["message"] for page in logs for event in page["events"])


@contextmanager
def running_texts(folder: Path) -> Iterator[TextsService]:
    """The service with two healthy tasks of version 1, on a local cloud of its own in ``folder``.

    Version 2 and two broken versions are published: "unreadable" cannot be unpickled, "altered" has another digest.
    """
    from infra.laptop.bootstrap.services import (
        DRAIN_SECONDS,  # not of the service's own environment, which collects this
    )

    image = {
        "python": str(VENVS / "test" / "bin" / "python"),
        "cwd": str(ROOT),
        "env": {"PYTHONPATH": str(ROOT), "HOST": "{host}"},
        "command": ["python", "-m", "serving"],
    }
    with running_cloud(folder, {**base_config(), "images": {"serving:1": image}}) as cloud:
        ecs, listener, port = cloud.client("ecs"), free_port(), free_port()
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        ecs.create_cluster(clusterName=CLUSTER)
        group = balance(cloud, NAME, listener, port, int(DRAIN_SECONDS))
        first, second = (bundle.pack(text_files(dataset_version=letter * 64)) for letter in "de")
        service = TextsService(cloud, ecs, listener, port, group, expected_answers(first))
        service.publish("1", first)
        service.publish("2", second)
        service.publish("unreadable", bundle.pack(seal_text(b"not a pickle", text_files()[bundle.GOLDEN])))
        service.publish("altered", second, digest="0" * 64)
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=NAME,
            taskDefinition=service.definitions["1"],
            launchType="FARGATE",
            desiredCount=2,
            loadBalancers=[{"targetGroupArn": group, "containerName": "service", "containerPort": port}],
            deploymentConfiguration={
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            healthCheckGracePeriodSeconds=GRACE_SECONDS,
        )
        service.settle()
        yield service


def process_group(task: dict[str, Any]) -> int:
    """The process group of a task's container: its first process and all forked from it."""
    return int(task["containers"][0]["runtimeId"])


def expected_answers(packed: bytes) -> dict[bytes, float]:
    """Request bodies, and the probability that the bundle's own scorer gives each."""
    records = [{"text_length": float(10 + 61 * i), "num_keywords": i % 9} for i in range(40)]
    scores = bundle.load(bundle.unpack(packed)).scorer.probabilities(records)
    return {json.dumps(record).encode(): float(score) for record, score in zip(records, scores, strict=True)}
