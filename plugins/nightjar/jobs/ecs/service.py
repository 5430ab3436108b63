"""ECS services: registering a revision from a template, rolling a service to it, and looking at what a service runs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

# What RegisterTaskDefinition takes of what DescribeTaskDefinition gives.
COPIED = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
KEY_TAG = "nightjar:submit-key"
LAG = timedelta(seconds=10)


class EcsServiceHook(AwsBaseHook):
    """One service of one cluster. Only the deploy DAG uses its writing methods."""

    def __init__(self, cluster: str, service: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="ecs", **kwargs)
        self.cluster = cluster
        self.service = service

    def describe(self) -> dict[str, Any]:
        """The service as ECS describes it; LookupError when there is none."""
        found = self.conn.describe_services(cluster=self.cluster, services=[self.service])["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise LookupError(
                f"ECS cluster {self.cluster} has no active service {self.service}. Infrastructure creates it: apply it first."
            )
        return found[0]

    def primary(self) -> dict[str, Any]:
        """The PRIMARY deployment of the service: what ECS rolls out or has rolled out."""
        return next(deployment for deployment in self.describe()["deployments"] if deployment["status"] == "PRIMARY")

    def environment(self, task_definition: str) -> dict[str, str]:
        """Environment variables of the first container of a task definition."""
        described = self.conn.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        return {pair["name"]: pair["value"] for pair in described["containerDefinitions"][0].get("environment", [])}

    def register(self, template_family: str, family: str, key: str, image: str, environment: dict[str, str]) -> str:
        """A revision of ``family``: the template's newest with this image and environment. Its ARN.

        A revision that is the family's newest and carries the same key is given back, not registered again.
        """
        newest = self._newest(family)
        if newest and {"key": KEY_TAG, "value": key} in newest.get("tags", []):
            return newest["taskDefinition"]["taskDefinitionArn"]
        template = self.conn.describe_task_definition(taskDefinition=template_family)["taskDefinition"]
        definition = {name: template[name] for name in COPIED if name in template}
        container, *others = definition["containerDefinitions"]
        variables = {**{pair["name"]: pair["value"] for pair in container.get("environment", [])}, **environment}
        container = {
            **container,
            "image": image,
            "environment": [{"name": n, "value": v} for n, v in sorted(variables.items())],
        }
        definition["containerDefinitions"] = [container, *others]
        answer = self.conn.register_task_definition(family=family, tags=[{"key": KEY_TAG, "value": key}], **definition)
        return answer["taskDefinition"]["taskDefinitionArn"]

    def roll(self, task_definition: str, desired_count: int, appear_seconds: int = 30) -> str:
        """Rolls the service to a task definition; adopts a roll to it that is under way or done. The ARN of the service
        deployment.

        The number of tasks is raised to ``desired_count`` where it is lower, and left alone where autoscaling made it higher.
        Raises TimeoutError when ECS does not show the deployment in time.
        """
        service = self.describe()
        known: set[str] = set()
        if service["taskDefinition"] != task_definition:
            known = {deployment["serviceDeploymentArn"] for deployment in self._deployments()}
            count = max(service["desiredCount"], desired_count)
            self.conn.update_service(
                cluster=self.cluster, service=self.service, taskDefinition=task_definition, desiredCount=count
            )
        # After a kill between the update and here the list may still lag: an older deployment of the service is not the answer.
        earliest = self.primary()["createdAt"] - LAG
        for _ in range(appear_seconds):
            for deployment in self._deployments():
                if deployment["serviceDeploymentArn"] not in known and deployment["createdAt"] >= earliest:
                    return deployment["serviceDeploymentArn"]
            time.sleep(1)
        raise TimeoutError(
            f"ECS shows no new deployment of {self.service} {appear_seconds} s after UpdateService. Retry this task."
        )

    def stop_all(self) -> None:
        """Takes every task away: for a service that has nothing sound to go back to."""
        self.conn.update_service(cluster=self.cluster, service=self.service, desiredCount=0)

    def stopped_tasks(self, task_definition: str) -> list[dict[str, Any]]:
        """Stopped tasks of a task definition that ECS still remembers (an hour), newest first."""
        arns = self.conn.list_tasks(cluster=self.cluster, serviceName=self.service, desiredStatus="STOPPED")["taskArns"]
        tasks = self.conn.describe_tasks(cluster=self.cluster, tasks=arns[:100])["tasks"] if arns else []
        ours = [task for task in tasks if task["taskDefinitionArn"] == task_definition]
        return sorted(ours, key=lambda task: str(task.get("stoppedAt", "")), reverse=True)

    def log_streams(self, task: dict[str, Any]) -> list[tuple[str, str]]:
        """``(log group, stream name)`` of each container of a task that logs to CloudWatch."""
        definition = self.conn.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        streams = []
        for container in definition["containerDefinitions"]:
            options = container.get("logConfiguration", {}).get("options", {})
            if "awslogs-group" in options:
                task_id = task["taskArn"].rsplit("/", 1)[1]
                streams.append(
                    (options["awslogs-group"], f"{options.get('awslogs-stream-prefix')}/{container['name']}/{task_id}")
                )
        return streams

    def _newest(self, family: str) -> dict[str, Any] | None:
        try:
            return self.conn.describe_task_definition(taskDefinition=family, include=["TAGS"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClientException":  # ECS's word for: no such family
                return None
            raise

    def _deployments(self) -> list[dict[str, Any]]:
        """The service's deployments in brief, newest first."""
        briefs = self.conn.list_service_deployments(cluster=self.cluster, service=self.service)["serviceDeployments"]
        return sorted(briefs, key=lambda brief: brief["createdAt"], reverse=True)
