"""What a deploy needs of the ECS service, as Protocols; and what a rollout is."""

from __future__ import annotations

from typing import Any, NotRequired, Protocol, TypedDict


class Rollout(TypedDict):
    """A rollout that was started: two ARNs."""

    task_definition: str
    service_deployment_arn: str


class PrimaryDeployment(TypedDict):
    """What is needed of a service's PRIMARY deployment, with the names of ECS's API."""

    taskDefinition: str
    desiredCount: int
    runningCount: int
    rolloutState: NotRequired[str]


class ServiceReader(Protocol):
    """Reads what a service runs (``nightjar.jobs.ecs.service.EcsService``)."""

    def primary(self) -> PrimaryDeployment:
        """Returns the PRIMARY deployment: the one that ECS rolls out or has rolled out."""

    def environment(self, task_definition: str) -> dict[str, str]:
        """Returns the environment variables of a task definition's serving container."""

    def image(self, task_definition: str) -> str:
        """Returns the image of a task definition's serving container."""


class Service(ServiceReader, Protocol):
    """Also rolls the service back (the same class)."""

    def stopped_tasks(self, task_definition: str) -> list[dict[str, Any]]:
        """Returns the stopped tasks of a task definition, newest first."""

    def task_definition(self) -> str:
        """Returns the ARN of the task definition that the service is set to."""

    def roll(self, task_definition: str, desired_count: int) -> str:
        """Rolls the service out to a task definition; returns the ARN of the deployment."""

    def stop_all(self) -> None:
        """Sets the number of tasks to 0."""
