"""ECS actions that moto lacks or answers without running anything, and those that are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import Cluster
from moto.ecs.responses import EC2ContainerServiceResponse

from infra.localcloud.ecs import describe
from infra.localcloud.ecs.models import EcsBackend
from infra.localcloud.ecs.resources import Service, Task

_DEFAULT_PAGE = 100


def _backend(response: EC2ContainerServiceResponse) -> EcsBackend:
    backend = response.ecs_backend
    assert isinstance(backend, EcsBackend)
    return backend


def _cluster_name(response: EC2ContainerServiceResponse) -> str:
    return str(response._get_param("cluster", "default"))


def _cluster(response: EC2ContainerServiceResponse) -> Cluster:
    return _backend(response).cluster(_cluster_name(response))


def _missing(arn: str) -> dict[str, str]:
    return {"arn": arn, "reason": "MISSING"}


def _page(response: EC2ContainerServiceResponse, items: list[Any], name: str) -> dict[str, Any]:
    """``maxResults`` of ``items`` from ``nextToken`` on, as the member ``name``."""
    start = int(response._get_param("nextToken") or 0)
    size = int(response._get_param("maxResults") or _DEFAULT_PAGE)
    page: dict[str, Any] = {name: items[start : start + size]}
    if start + size < len(items):
        page["nextToken"] = str(start + size)
    return page


# --- task definitions ---

_EXTRA_FIELDS = {"enableFaultInjection": "enable_fault_injection"}
_moto_register = EC2ContainerServiceResponse.register_task_definition


def register_task_definition(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers RegisterTaskDefinition: moto's, with the fields it drops and with tags in the answer."""
    definition = cast("dict[str, Any]", _moto_register(self).result)["taskDefinition"]
    definition.registered_at = utcnow()
    definition.registered_by = f"arn:aws:iam::{self.current_account}:root"
    for member, attribute in _EXTRA_FIELDS.items():
        if self._get_param(member) is not None:
            setattr(definition, attribute, self._get_param(member))
    return ActionResult({"taskDefinition": definition, "tags": definition.tags})


def list_task_definitions(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers ListTaskDefinitions: moto's, in pages, ordered by family and revision as ``sort`` requests."""
    arns = _backend(self).list_task_definitions(self._get_param("familyPrefix"), self._get_param("status", "ACTIVE"))

    def order(arn: str) -> tuple[str, int]:
        family, revision = arn.rsplit(":", 1)
        return family, int(revision)

    arns.sort(key=order, reverse=self._get_param("sort") == "DESC")
    return ActionResult(_page(self, arns, "taskDefinitionArns"))


# --- services ---


def create_service(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers CreateService."""
    return _service_result(self, _backend(self).start_service(dict(self.params)))


def update_service(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers UpdateService."""
    return _service_result(self, _backend(self).change_service(dict(self.params)))


def delete_service(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers DeleteService."""
    name, force = self._get_param("service"), bool(self._get_param("force"))
    return _service_result(self, _backend(self).end_service(_cluster_name(self), name, force))


def describe_services(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers DescribeServices."""
    scheduler, cluster = _backend(self).scheduler, _cluster(self)
    known = {s.name: s for s in scheduler.services.values() if s.cluster is cluster}
    services, failures = [], []
    for name in self._get_param("services", []):
        service = known.get(name.split("/")[-1])
        if service is None:
            failures.append(_missing(name))
            continue
        with scheduler.lock:
            services.append(_tags_if_included(self, describe.describe_service(service)))
    return ActionResult({"services": services, "failures": failures})


def list_services(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers ListServices."""
    cluster, launch_type = _cluster(self), self._get_param("launchType")
    services = _backend(self).scheduler.services.values()
    found = [s for s in services if s.cluster is cluster and s.status == "ACTIVE"]
    arns = [s.arn for s in found if not launch_type or s.settings.get("launchType", "FARGATE") == launch_type]
    return ActionResult(_page(self, arns, "serviceArns"))


def _service_result(self: EC2ContainerServiceResponse, service: Service) -> ActionResult:
    with _backend(self).scheduler.lock:
        return ActionResult({"service": describe.describe_service(service)})


def _tags_if_included(self: EC2ContainerServiceResponse, entry: dict[str, Any]) -> dict[str, Any]:
    if "TAGS" not in self._get_param("include", []):
        del entry["tags"]
    return entry


# --- service deployments ---


def list_service_deployments(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers ListServiceDeployments."""
    backend = _backend(self)
    service = backend.service(_cluster_name(self), self._get_param("service"))
    statuses = self._get_param("status") or []
    created = self._get_param("createdAt") or {}
    with backend.scheduler.lock:
        found = [
            describe.list_entry(rollout)
            for rollout in service.rollouts
            if (not statuses or rollout.status in statuses)
            and _within(rollout.created_at, created.get("after"), created.get("before"))
        ]
    return ActionResult(_page(self, found, "serviceDeployments"))


def _within(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    """``moment`` is UTC without a zone, as all of moto's times."""
    late_enough = after is None or moment >= after.replace(tzinfo=None)
    return late_enough and (before is None or moment <= before.replace(tzinfo=None))


def describe_service_deployments(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers DescribeServiceDeployments."""
    arns = self._get_param("serviceDeploymentArns", [])
    scheduler = _backend(self).scheduler
    with scheduler.lock:
        known = {rollout.arn: rollout for service in scheduler.services.values() for rollout in service.rollouts}
        found = [describe.describe_service_deployment(known[arn]) for arn in arns if arn in known]
    return ActionResult({"serviceDeployments": found, "failures": [_missing(arn) for arn in arns if arn not in known]})


def describe_service_revisions(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers DescribeServiceRevisions."""
    arns = self._get_param("serviceRevisionArns", [])
    scheduler = _backend(self).scheduler
    with scheduler.lock:
        known = {revision.arn: revision for service in scheduler.services.values() for revision in service.revisions}
        found = [describe.describe_revision(known[arn]) for arn in arns if arn in known]
    return ActionResult({"serviceRevisions": found, "failures": [_missing(arn) for arn in arns if arn not in known]})


def stop_service_deployment(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers StopServiceDeployment."""
    arn = _backend(self).stop_deployment(
        self._get_param("serviceDeploymentArn"), self._get_param("stopType", "ROLLBACK")
    )
    return ActionResult({"serviceDeploymentArn": arn})


# --- tasks ---


def run_task(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers RunTask."""
    tasks = _backend(self).run_tasks(dict(self.params))
    return ActionResult({"tasks": [describe.describe_task(task) for task in tasks], "failures": []})


def stop_task(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers StopTask."""
    task = _backend(self).task(_cluster_name(self), self._get_param("task"))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    _backend(self).scheduler.tasks.stop(task, self._get_param("reason") or "Task stopped by user", "UserInitiated")
    return ActionResult({"task": describe.describe_task(task)})


def list_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers ListTasks."""
    backend, cluster = _backend(self), _cluster(self)
    service_name, family = self._get_param("serviceName"), self._get_param("family")
    started_by, desired_status = self._get_param("startedBy"), self._get_param("desiredStatus", "RUNNING")
    service = backend.service(cluster.name, service_name).name if service_name else None

    def matches(task: Task) -> bool:
        return (
            task.cluster is cluster
            and task.desired_status == desired_status
            and (not service or (task.deployment is not None and task.deployment.service.name == service))
            and (not family or task.definition.family == family)
            and (not started_by or task.started_by == started_by)
        )

    with backend.scheduler.lock:
        arns = [task.arn for task in backend.scheduler.tasks.all() if matches(task)]
    return ActionResult(_page(self, arns, "taskArns"))


def describe_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    """Answers DescribeTasks."""
    backend = _backend(self)
    tasks, failures = [], []
    for name in self._get_param("tasks", []):
        task = backend.task(_cluster_name(self), name)
        if task is None:
            failures.append(_missing(name))
        else:
            tasks.append(_tags_if_included(self, describe.describe_task(task)))
    return ActionResult({"tasks": tasks, "failures": failures})


# --- refused ---


def _refused(name: str, reason: str) -> Callable[[EC2ContainerServiceResponse], EmptyResult]:
    def refuse(self: EC2ContainerServiceResponse) -> EmptyResult:
        raise NotImplementedError(reason)

    refuse.__name__ = name
    return refuse


_NO_TASK_SETS = "Task sets belong to external deployments, which do not run here."
_NO_INSTANCES = "There are no container instances here: tasks are processes (use RunTask with launchType FARGATE)."
ACTIONS = (
    register_task_definition,
    list_task_definitions,
    create_service,
    update_service,
    delete_service,
    describe_services,
    list_services,
    list_service_deployments,
    describe_service_deployments,
    describe_service_revisions,
    stop_service_deployment,
    run_task,
    stop_task,
    list_tasks,
    describe_tasks,
    *(
        _refused(name, _NO_TASK_SETS)
        for name in ("create_task_set", "update_task_set", "delete_task_set", "update_service_primary_task_set")
    ),
    *(_refused(name, _NO_INSTANCES) for name in ("start_task", "register_container_instance")),
)
