"""A rollout of an ECS service.

It succeeded when ECS calls the deployment SUCCESSFUL and the task definition of the service's PRIMARY deployment is the
requested one. The ``ServicesStable`` waiter cannot distinguish a rollback by the circuit breaker from a success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from nightjar.jobs.ecs.service import EcsService
from nightjar.jobs.job import CONSOLE, Description, LogStream, RemoteJob

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

TASKS_SHOWN = 3


class RolloutResult(TypedDict):
    """What the submit operator and the sensor return: two ARNs."""

    service_deployment_arn: str
    task_definition: str


@dataclass(frozen=True)
class EcsRollout(RemoteJob["ECSClient"]):
    """One deployment of a service.

    Attributes:
        cluster: The cluster.
        service: The service.
        service_deployment_arn: As the submit operator returned it.
        task_definition: ARN of the requested revision.
    """

    cluster: str
    service: str
    service_deployment_arn: str
    task_definition: str

    client_type = "ecs"
    describe_method = "describe_service_deployments"
    state_path = "serviceDeployments[0].status"
    active = frozenset({"PENDING", "IN_PROGRESS"})
    stopping = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
    succeeded = frozenset({"SUCCESSFUL"})
    advice = "ECS keeps the old tasks or rolls back to them. Correct the image or the environment, then roll out again."

    @property
    def identifier(self) -> str:
        """The deployment's ARN."""
        return self.service_deployment_arn

    def describe_arguments(self) -> dict[str, Any]:
        """Returns the arguments of DescribeServiceDeployments."""
        return {"serviceDeploymentArns": [self.service_deployment_arn]}

    def result(self, description: Description) -> RolloutResult:
        """Returns the deployment and its task definition."""
        return {"service_deployment_arn": self.service_deployment_arn, "task_definition": self.task_definition}

    def failure(self, client: ECSClient, description: Description) -> str | None:
        """Returns why the rollout failed; another PRIMARY task definition is a failure too."""
        failed = super().failure(client, description)
        if failed:
            return failed
        primary = self._service(client).primary()["taskDefinition"]
        if primary == self.task_definition:
            return None
        return f"succeeded, but the PRIMARY task definition is {primary}, not the requested {self.task_definition}"

    def reason(self, client: ECSClient, description: Description) -> str:
        """Returns ECS's reason, and why the newest tasks stopped."""
        if not description["serviceDeployments"]:
            return f"ECS does not know this deployment: {description.get('failures')}"
        deployment = description["serviceDeployments"][0]
        lines = [
            deployment.get("statusReason") or "ECS gives no reason",
            deployment.get("rollback", {}).get("reason", ""),
        ]
        try:
            lines += self._endings(client)
        except (ClientError, BotoCoreError) as error:
            # The rollout's failure is known: a call that is denied must not hide it.
            lines.append(f"(why its tasks stopped cannot be read: {error})")
        return "\n".join(line for line in lines if line)

    def _endings(self, client: ECSClient) -> list[str]:
        """Why the newest tasks stopped."""
        lines = []
        for task in self._service(client).stopped_tasks(self.task_definition)[:TASKS_SHOWN]:
            exits = ", ".join(
                f"{container['name']}: exit {container.get('exitCode')} {container.get('reason', '')}"
                for container in task.get("containers", [])
            )
            lines.append(f"{task['taskArn']} stopped: {task.get('stoppedReason')} ({exits})")
        return lines

    def log_streams(self, client: ECSClient, description: Description) -> list[LogStream]:
        """Returns the streams of the newest task that stopped."""
        service = self._service(client)
        newest = service.stopped_tasks(self.task_definition)[:1]
        return [stream for task in newest for stream in service.log_streams(task)]

    def console_link(self, region: str) -> str:
        """Returns the page of the service's deployments."""
        return f"{CONSOLE}ecs/v2/clusters/{self.cluster}/services/{self.service}/deployments?region={region}"

    def _service(self, client: ECSClient) -> EcsService:
        return EcsService(client, self.cluster, self.service)
