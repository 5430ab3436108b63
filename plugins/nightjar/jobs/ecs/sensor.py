"""Sense an ECS rollout: green only when the deployment is SUCCESSFUL in ECS's own words and the service's PRIMARY task
definition is the requested one. (The ``ServicesStable`` waiter cannot tell a rollback by the circuit breaker from a success.)
"""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.ecs.service import EcsServiceHook
from nightjar.jobs.sensor import JobSensor


class EcsRolloutSensor(JobSensor):
    """Returns ``{"service_deployment_arn", "task_definition"}``.

    :param cluster: ECS cluster.
    :param service: ECS service.
    :param service_deployment_arn: as the submit operator returned it.
    :param task_definition: ARN of the requested revision.
    """

    client_type = "ecs"
    method = "describe_service_deployments"
    state_path = "serviceDeployments[0].status"
    running = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
    succeeded = ("SUCCESSFUL",)
    advice = "The service runs its old tasks, or is taken back to them by restore_service. Repair bundle or image, deploy anew."
    template_fields = aws_template_fields("service_deployment_arn", "task_definition")

    def __init__(
        self, *, cluster: str, service: str, service_deployment_arn: str, task_definition: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.service = service
        self.service_deployment_arn = service_deployment_arn
        self.task_definition = task_definition

    @property
    def service_hook(self) -> EcsServiceHook:
        """The service, with this sensor's connection."""
        return EcsServiceHook(self.cluster, self.service, aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def arguments(self) -> dict[str, Any]:
        return {"serviceDeploymentArns": [self.service_deployment_arn]}

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"service_deployment_arn": self.service_deployment_arn, "task_definition": self.task_definition}

    def failure(self, state: str | None, answer: dict[str, Any]) -> str | None:
        failed = super().failure(state, answer)
        if failed:
            return failed
        primary = self.service_hook.primary()["taskDefinition"]
        if primary != self.task_definition:
            return f"succeeded, but the service's PRIMARY task definition is {primary}, not the requested {self.task_definition}"
        return None

    def reason(self, answer: dict[str, Any]) -> str:
        if not answer["serviceDeployments"]:
            return f"ECS does not know this deployment: {answer.get('failures')}"
        deployment = answer["serviceDeployments"][0]
        lines = [
            deployment.get("statusReason") or "ECS gives no reason",
            deployment.get("rollback", {}).get("reason", ""),
        ]
        for task in self.service_hook.stopped_tasks(self.task_definition)[:3]:
            exits = ", ".join(
                f"{c['name']}: exit {c.get('exitCode')} {c.get('reason', '')}" for c in task.get("containers", [])
            )
            lines.append(f"{task['taskArn']} stopped: {task.get('stoppedReason')} ({exits})")
        return "\n".join(line for line in lines if line)

    def log_streams(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        stopped = self.service_hook.stopped_tasks(self.task_definition)[:1]
        return [stream for task in stopped for stream in self.service_hook.log_streams(task)]

    def console_link(self) -> str:
        return console_link("ecs", self.region_name, self.service, self.cluster)
