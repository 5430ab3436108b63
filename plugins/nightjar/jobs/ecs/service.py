"""ECS services: register a revision from a template, roll a service out to it, read what a service runs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NotRequired, Self, TypedDict

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

from nightjar.jobs.job import LogStream, RemoteJob

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

# The fields of DescribeTaskDefinition's answer that RegisterTaskDefinition accepts.
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
# How much earlier than the PRIMARY deployment the listed one may have been created.
LIST_DELAY = timedelta(seconds=10)
MAX_TASKS = 100  # of one DescribeTasks call


class Deployment(TypedDict):
    """A deployment as DescribeServices lists it; ECS adds more fields."""

    status: str
    taskDefinition: str
    desiredCount: int
    runningCount: int
    createdAt: datetime
    rolloutState: NotRequired[str]


class EcsService:
    """One service of one cluster.

    Args:
        client: boto3's ECS client.
        cluster: The cluster.
        service: The service.
    """

    def __init__(self, client: ECSClient, cluster: str, service: str) -> None:
        # Descriptions go back into requests: plain JSON, which boto3's types of the two sides do not agree on.
        self._client: Any = client
        self.cluster = cluster
        self.service = service

    @classmethod
    def connect(
        cls, cluster: str, service: str, *, aws_conn_id: str | None = None, region_name: str | None = None
    ) -> Self:
        """Returns the service, with a client made by the Amazon provider's hook."""
        hook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="ecs", region_name=region_name)
        return cls(hook.conn, cluster, service)

    def link(self, rollout: RemoteJob[ECSClient]) -> str:
        """Returns the page of one of the service's rollouts; empty where no console shows it."""
        return rollout.link(self._client)

    def describe(self) -> dict[str, Any]:
        """Returns the service as ECS describes it.

        Raises:
            LookupError: The cluster has no active service of this name.
        """
        found = self._client.describe_services(cluster=self.cluster, services=[self.service])["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise LookupError(
                f"ECS cluster {self.cluster} has no active service {self.service}. "
                "Infrastructure creates it: apply that first."
            )
        service: dict[str, Any] = found[0]
        return service

    def task_definition(self) -> str:
        """Returns the ARN of the task definition that the service is set to."""
        return str(self.describe()["taskDefinition"])

    def primary(self) -> Deployment:
        """Returns the PRIMARY deployment: the one that ECS rolls out or has rolled out."""
        deployments: list[Deployment] = self.describe()["deployments"]
        return next(deployment for deployment in deployments if deployment["status"] == "PRIMARY")

    def environment(self, task_definition: str) -> dict[str, str]:
        """Returns the environment variables of a task definition's serving container."""
        return _variables(self._described_container(task_definition))

    def image(self, task_definition: str) -> str:
        """Returns the image of a task definition's serving container."""
        return str(self._described_container(task_definition)["image"])

    def register(self, template_family: str, family: str, key: str, image: str, environment: dict[str, str]) -> str:
        """Registers the template's newest revision as a revision of ``family``.

        The container that serves gets this image and environment; others, such as a log router, stay as they are.
        A revision that is the family's newest and carries the same key is returned, not registered again.

        Returns:
            The revision's ARN.
        """
        newest = self._newest(family)
        if newest and {"key": KEY_TAG, "value": key} in newest.get("tags", []):
            return str(newest["taskDefinition"]["taskDefinitionArn"])
        template = self._client.describe_task_definition(taskDefinition=template_family)["taskDefinition"]
        definition = {name: template[name] for name in COPIED if name in template}
        serving = self._serving_container(template)
        variables = {**_variables(serving), **environment}
        changed = {
            **serving,
            "image": image,
            "environment": [{"name": name, "value": value} for name, value in sorted(variables.items())],
        }
        definition["containerDefinitions"] = [
            changed if container is serving else container for container in template["containerDefinitions"]
        ]
        tags = [{"key": KEY_TAG, "value": key}]
        answer = self._client.register_task_definition(family=family, tags=tags, **definition)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def roll(self, task_definition: str, desired_count: int, appear_seconds: int = 30) -> str:
        """Rolls the service out to a task definition; a rollout to it that is under way or done is adopted.

        The number of tasks is raised to ``desired_count`` where it is lower; where autoscaling made it higher, it
        stays. A service without tasks is rolled out again.

        Returns:
            The ARN of the service deployment.

        Raises:
            TimeoutError: ECS does not list the deployment within ``appear_seconds``.
        """
        service = self.describe()
        known: set[str] = set()
        changes = service["taskDefinition"] != task_definition
        if changes or (desired_count and not service["desiredCount"]):
            known = {deployment["serviceDeploymentArn"] for deployment in self._deployments()}
            count = max(service["desiredCount"], desired_count)
            self._client.update_service(
                cluster=self.cluster,
                service=self.service,
                taskDefinition=task_definition,
                desiredCount=count,
                **({} if changes else {"forceNewDeployment": True}),  # else the same definition is no deployment
            )
        # If a worker was killed after the update, the list may not contain the new deployment yet: older ones are
        # ignored.
        earliest = self.primary()["createdAt"] - LIST_DELAY
        for _ in range(appear_seconds):
            for deployment in self._deployments():
                if deployment["serviceDeploymentArn"] not in known and deployment["createdAt"] >= earliest:
                    return str(deployment["serviceDeploymentArn"])
            time.sleep(1)
        raise TimeoutError(
            f"ECS shows no new deployment of {self.service} {appear_seconds} s after UpdateService. Retry this task."
        )

    def stop_all(self) -> None:
        """Sets the number of tasks to 0: for a service that has no healthy revision to roll back to."""
        self._client.update_service(cluster=self.cluster, service=self.service, desiredCount=0)

    def stopped_tasks(self, task_definition: str) -> list[dict[str, Any]]:
        """Returns the stopped tasks of a task definition, newest first. ECS keeps them for an hour."""
        listed = self._client.list_tasks(cluster=self.cluster, serviceName=self.service, desiredStatus="STOPPED")
        arns = listed["taskArns"][:MAX_TASKS]
        tasks = self._client.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
        of_definition = [task for task in tasks if task["taskDefinitionArn"] == task_definition]
        return sorted(of_definition, key=lambda task: str(task.get("stoppedAt", "")), reverse=True)

    def log_streams(self, task: dict[str, Any]) -> list[LogStream]:
        """Returns the log stream of each container of a task that logs to CloudWatch."""
        arn = task["taskDefinitionArn"]
        definition = self._client.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        task_id = task["taskArn"].rsplit("/", 1)[1]
        streams = []
        for container in definition["containerDefinitions"]:
            options = container.get("logConfiguration", {}).get("options", {})
            if "awslogs-group" in options:
                prefix = f"{options.get('awslogs-stream-prefix')}/{container['name']}/{task_id}"
                streams.append((options["awslogs-group"], prefix))
        return streams

    def _described_container(self, task_definition: str) -> dict[str, Any]:
        described = self._client.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        return self._serving_container(described)

    def _serving_container(self, definition: dict[str, Any]) -> dict[str, Any]:
        """The container to which the service's load balancer sends requests; the only one, if it has none.

        Raises:
            LookupError: The task definition has no such container.
        """
        containers: list[dict[str, Any]] = definition["containerDefinitions"]
        targets = {target["containerName"] for target in self.describe().get("loadBalancers", [])}
        found = [container for container in containers if container["name"] in targets]
        if not targets and len(containers) == 1:
            return containers[0]
        if len(found) != 1:
            names = ", ".join(container["name"] for container in containers)
            raise LookupError(
                f"Task definition {definition['taskDefinitionArn']} has the containers {names}, but the load balancer "
                f"of the service {self.service} sends requests to {', '.join(sorted(targets)) or 'none of them'}. "
                "Infrastructure sets both: give the serving container that name."
            )
        return found[0]

    def _newest(self, family: str) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._client.describe_task_definition(taskDefinition=family, include=["TAGS"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClientException":  # ECS's code for a family that does not exist
                return None
            raise
        return answer

    def _deployments(self) -> list[dict[str, Any]]:
        """The service's deployments in brief, newest first."""
        listed = self._client.list_service_deployments(cluster=self.cluster, service=self.service)
        return sorted(listed["serviceDeployments"], key=lambda brief: brief["createdAt"], reverse=True)


def _variables(container: dict[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in container.get("environment", [])}
