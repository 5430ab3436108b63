"""The resources of ECS in the form of its Describe and List actions."""

from __future__ import annotations

from typing import Any

from infra.localcloud.ecs.resources import (
    ContainerRun,
    Deployment,
    Service,
    ServiceDeployment,
    ServiceRevision,
    Task,
)

_SERVICE_SETTINGS = {
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "loadBalancers",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
}
_SERVICE_DEFAULTS: dict[str, Any] = {
    "launchType": "FARGATE",
    "platformVersion": "LATEST",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "propagateTags": "NONE",
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
}


def describe_service(service: Service) -> dict[str, Any]:
    """An entry of DescribeServices."""
    settings = {n: v for n, v in service.settings.items() if n in _SERVICE_SETTINGS and v is not None}
    current = next((rollout.arn for rollout in service.rollouts if not rollout.is_over), None)
    revisions = {d.revision.arn: d for d in service.deployments}
    return _without_none(
        {
            **_SERVICE_DEFAULTS,
            **settings,
            "serviceArn": service.arn,
            "serviceName": service.name,
            "clusterArn": service.cluster.arn,
            "status": service.status,
            "desiredCount": service.desired_count,
            "runningCount": _count(service.tasks, "RUNNING"),
            "pendingCount": _count(service.tasks, "PENDING"),
            "taskDefinition": service.definition.arn,
            "deploymentConfiguration": service.configuration,
            "deployments": [describe_deployment(d) for d in service.deployments],
            "events": list(service.events),
            "createdAt": service.created_at,
            "roleArn": service.settings.get("role"),
            "currentServiceDeployment": current,
            "currentServiceRevisions": [_current_revision(arn, d) for arn, d in revisions.items()],
            "tags": service.tags,
        }
    )


def describe_deployment(deployment: Deployment) -> dict[str, Any]:
    """An entry of a service's ``deployments``."""
    service, settings = deployment.service, deployment.revision.settings
    tasks = [t for t in service.tasks if t.deployment is deployment]
    is_primary = deployment.status == "PRIMARY"
    return {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.revision.definition.arn,
        "desiredCount": service.desired_count if is_primary else sum(t.is_live for t in tasks),
        "runningCount": _count(tasks, "RUNNING"),
        "pendingCount": _count(tasks, "PENDING"),
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "launchType": settings.get("launchType", "FARGATE"),
        "platformVersion": settings.get("platformVersion", "LATEST"),
        "networkConfiguration": settings.get("networkConfiguration", {}),
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_reason,
    }


def describe_revision(revision: ServiceRevision) -> dict[str, Any]:
    """An entry of DescribeServiceRevisions."""
    images = [{"containerName": c["name"], "image": c["image"]} for c in revision.definition.container_definitions]
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": revision.service.arn,
        "clusterArn": revision.service.cluster.arn,
        "taskDefinition": revision.definition.arn,
        "launchType": revision.settings.get("launchType", "FARGATE"),
        "platformVersion": revision.settings.get("platformVersion", "LATEST"),
        "loadBalancers": revision.settings.get("loadBalancers", []),
        "networkConfiguration": revision.settings.get("networkConfiguration", {}),
        "containerImages": images,
        "createdAt": revision.created_at,
    }


def list_entry(rollout: ServiceDeployment) -> dict[str, Any]:
    """An entry of ListServiceDeployments."""
    return _without_none(
        {
            "serviceDeploymentArn": rollout.arn,
            "serviceArn": rollout.service.arn,
            "clusterArn": rollout.service.cluster.arn,
            "createdAt": rollout.created_at,
            "startedAt": rollout.started_at,
            "finishedAt": rollout.finished_at,
            "targetServiceRevisionArn": rollout.target.arn,
            "status": rollout.status,
            "statusReason": rollout.reason or None,
        }
    )


def describe_service_deployment(rollout: ServiceDeployment) -> dict[str, Any]:
    """An entry of DescribeServiceDeployments."""
    entry = list_entry(rollout)
    del entry["targetServiceRevisionArn"]
    return _without_none(
        {
            **entry,
            "updatedAt": rollout.updated_at,
            "stoppedAt": rollout.stopped_at,
            "sourceServiceRevisions": [_counted_revision(rollout, source) for source in rollout.sources],
            "targetServiceRevision": _counted_revision(rollout, rollout.target),
            "deploymentConfiguration": rollout.configuration,
            "rollback": rollout.rollback,
            "deploymentCircuitBreaker": {
                "status": _circuit_breaker_status(rollout),
                "failureCount": rollout.failures,
                "threshold": rollout.threshold,
            },
        }
    )


def describe_task(task: Task) -> dict[str, Any]:
    """An entry of DescribeTasks."""
    eni = {
        "id": task.id,
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED" if task.last_status != "STOPPED" else "DELETED",
        "details": [{"name": "privateIPv4Address", "value": task.address}] if task.address else [],
    }
    no_overrides: dict[str, Any] = {"containerOverrides": [], "inferenceAcceleratorOverrides": []}
    return _without_none(
        {
            "taskArn": task.arn,
            "clusterArn": task.cluster.arn,
            "taskDefinitionArn": task.definition.arn,
            "lastStatus": task.last_status,
            "desiredStatus": task.desired_status,
            # A container health check is a command in the container. It is not run, so health is unknown.
            "healthStatus": "UNKNOWN",
            "launchType": task.request.get("launchType") or "FARGATE",
            "group": task.request.get("group") or f"family:{task.definition.family}",
            "startedBy": task.started_by,
            "cpu": task.definition.cpu,
            "memory": task.definition.memory,
            "createdAt": task.created_at,
            "startedAt": task.started_at,
            "stoppingAt": task.stopping_at,
            "stoppedAt": task.stopped_at,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
            "overrides": task.request.get("overrides") or no_overrides,
            "attachments": [eni],
            "tags": task.request.get("tags") or [],
            "version": 1,
            "containers": [_container(task, container) for container in task.containers],
        }
    )


def _container(task: Task, container: ContainerRun) -> dict[str, Any]:
    running = container.job is not None and container.job.poll() is None
    interface = {"attachmentId": task.id, "privateIpv4Address": task.address}
    return _without_none(
        {
            "containerArn": task.arn.replace(":task/", ":container/") + f"/{container.id}",
            "taskArn": task.arn,
            "name": container.definition["name"],
            "image": container.definition["image"],
            "lastStatus": "RUNNING" if running else "PENDING" if task.last_status == "PENDING" else "STOPPED",
            "healthStatus": "UNKNOWN",
            "networkInterfaces": [interface] if task.address else [],
            "runtimeId": container.runtime_id,
            "exitCode": container.exit_code,
            "reason": task.failure,
        }
    )


def _current_revision(arn: str, deployment: Deployment) -> dict[str, Any]:
    counts = describe_deployment(deployment)
    return {
        "arn": arn,
        "requestedTaskCount": counts["desiredCount"],
        "runningTaskCount": counts["runningCount"],
        "pendingTaskCount": counts["pendingCount"],
    }


def _counted_revision(rollout: ServiceDeployment, revision: ServiceRevision) -> dict[str, Any]:
    tasks = [t for t in rollout.service.tasks if t.deployment and t.deployment.revision is revision]
    return {
        "arn": revision.arn,
        "requestedTaskCount": rollout.service.desired_count if revision is rollout.target else 0,
        "runningTaskCount": _count(tasks, "RUNNING"),
        "pendingTaskCount": _count(tasks, "PENDING"),
    }


def _circuit_breaker_status(rollout: ServiceDeployment) -> str:
    breaker = rollout.configuration.get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable"):
        return "DISABLED"
    if rollout.circuit_broken:
        return "TRIGGERED"
    return "MONITORING_COMPLETE" if rollout.is_over else "MONITORING"


def _count(tasks: list[Task], status: str) -> int:
    return sum(task.last_status == status for task in tasks)


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
