"""ECS actions that are missing in moto or say what moto made up: each reads the request and tells what the models hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse

from .models import ContainerService
from .service import Service
from .tasks import Task


def _backend(response: Any) -> ContainerService:
    return response.ecs_backend


def _cluster(response: Any) -> str:
    return response._get_param("cluster", "default")


def _missing(arn: str) -> dict[str, str]:
    return {"arn": arn, "reason": "MISSING"}


def _page(response: Any, items: list[Any], name: str) -> dict[str, Any]:
    """``maxResults`` of ``items`` from ``nextToken`` on."""
    start = int(response._get_param("nextToken") or 0)
    size = int(response._get_param("maxResults") or 100)
    page: dict[str, Any] = {name: items[start : start + size]}
    if start + size < len(items):
        page["nextToken"] = str(start + size)
    return page


# --- task definitions ---

_EXTRA_FIELDS = {"enableFaultInjection": "enable_fault_injection"}
_register = EC2ContainerServiceResponse.register_task_definition


def register_task_definition(self: Any) -> ActionResult:
    """moto's, with the fields it drops, and with tags in the answer."""
    result = _register(self)
    definition = result.result["taskDefinition"]
    definition.registered_at = utcnow()
    definition.registered_by = f"arn:aws:iam::{self.current_account}:root"
    for member, attribute in _EXTRA_FIELDS.items():
        if self._get_param(member) is not None:
            setattr(definition, attribute, self._get_param(member))
    return ActionResult({"taskDefinition": definition, "tags": definition.tags})


def list_task_definitions(self: Any) -> ActionResult:
    """moto's, ordered by family and revision as ``sort`` says, in pages."""
    arns = _backend(self).list_task_definitions(self._get_param("familyPrefix"), self._get_param("status", "ACTIVE"))

    def order(arn: str) -> tuple[str, int]:
        family, revision = arn.rsplit(":", 1)
        return family, int(revision)

    arns.sort(key=order, reverse=self._get_param("sort") == "DESC")
    return ActionResult(_page(self, arns, "taskDefinitionArns"))


# --- services ---


def create_service(self: Any) -> ActionResult:
    return ActionResult({"service": _told(self, _backend(self).make_service(dict(self.params)))})


def update_service(self: Any) -> ActionResult:
    return ActionResult({"service": _told(self, _backend(self).change_service(dict(self.params)))})


def delete_service(self: Any) -> ActionResult:
    service = _backend(self).end_service(_cluster(self), self._get_param("service"), bool(self._get_param("force")))
    return ActionResult({"service": _told(self, service)})


def describe_services(self: Any) -> ActionResult:
    backend, cluster = _backend(self), _cluster(self)
    known = {s.name: s for s in backend.scheduler.services.values() if s.cluster is backend._get_cluster(cluster)}
    services, failures = [], []
    for asked in self._get_param("services", []):
        service = known.get(asked.split("/")[-1])
        if service is None:
            failures.append(_missing(asked))
            continue
        told = _told(self, service)
        if "TAGS" not in self._get_param("include", []):
            told.pop("tags")
        services.append(told)
    return ActionResult({"services": services, "failures": failures})


def list_services(self: Any) -> ActionResult:
    backend = _backend(self)
    cluster = backend._get_cluster(_cluster(self))
    launch_type = self._get_param("launchType")
    found = [s for s in backend.scheduler.services.values() if s.cluster is cluster and s.status == "ACTIVE"]
    arns = [s.arn for s in found if not launch_type or s.settings.get("launchType", "FARGATE") == launch_type]
    return ActionResult(_page(self, arns, "serviceArns"))


def _told(self: Any, service: Service) -> dict[str, Any]:
    with _backend(self).scheduler.lock:
        return service.describe()


# --- service deployments ---


def list_service_deployments(self: Any) -> ActionResult:
    backend = _backend(self)
    service = backend.service(_cluster(self), self._get_param("service"))
    statuses = self._get_param("status") or []
    created = self._get_param("createdAt") or {}
    with backend.scheduler.lock:
        found = [
            record.brief()
            for record in service.history
            if (not statuses or record.status in statuses)
            and _within(record.created_at, created.get("after"), created.get("before"))
        ]
    return ActionResult(_page(self, found, "serviceDeployments"))


def _within(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    """moto's times are UTC without a zone."""
    late_enough = after is None or moment >= after.replace(tzinfo=None)
    return late_enough and (before is None or moment <= before.replace(tzinfo=None))


def describe_service_deployments(self: Any) -> ActionResult:
    scheduler = _backend(self).scheduler
    with scheduler.lock:
        known = {record.arn: record for service in scheduler.services.values() for record in service.history}
        arns = self._get_param("serviceDeploymentArns", [])
        told = [known[arn].describe() for arn in arns if arn in known]
    return ActionResult({"serviceDeployments": told, "failures": [_missing(arn) for arn in arns if arn not in known]})


def describe_service_revisions(self: Any) -> ActionResult:
    scheduler = _backend(self).scheduler
    with scheduler.lock:
        known = {revision.arn: revision for service in scheduler.services.values() for revision in service.revisions}
        arns = self._get_param("serviceRevisionArns", [])
        told = [known[arn].describe() for arn in arns if arn in known]
    return ActionResult({"serviceRevisions": told, "failures": [_missing(arn) for arn in arns if arn not in known]})


def stop_service_deployment(self: Any) -> ActionResult:
    arn = _backend(self).stop_deployment(
        self._get_param("serviceDeploymentArn"), self._get_param("stopType", "ROLLBACK")
    )
    return ActionResult({"serviceDeploymentArn": arn})


# --- tasks ---


def run_task(self: Any) -> ActionResult:
    tasks = _backend(self).run_tasks(dict(self.params))
    return ActionResult({"tasks": [task.describe() for task in tasks], "failures": []})


def stop_task(self: Any) -> ActionResult:
    task = _backend(self).task(_cluster(self), self._get_param("task"))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    _backend(self).scheduler.stop_task(task, self._get_param("reason") or "Task stopped by user", "UserInitiated")
    return ActionResult({"task": task.describe()})


def list_tasks(self: Any) -> ActionResult:
    backend = _backend(self)
    cluster = backend._get_cluster(_cluster(self))
    service, family = self._get_param("serviceName"), self._get_param("family")
    started_by, desired = self._get_param("startedBy"), self._get_param("desiredStatus", "RUNNING")
    if service:
        backend.service(cluster.name, service)

    def matches(task: Task) -> bool:
        return (
            task.cluster is cluster
            and task.desired_status == desired
            and (
                not service or (task.deployment is not None and task.deployment.service.name == service.split("/")[-1])
            )
            and (not family or task.definition.family == family)
            and (not started_by or task.describe().get("startedBy") == started_by)
        )

    with backend.scheduler.lock:
        arns = [task.arn for task in backend.scheduler.tasks.values() if matches(task)]
    return ActionResult(_page(self, arns, "taskArns"))


def describe_tasks(self: Any) -> ActionResult:
    backend = _backend(self)
    tasks, failures = [], []
    for asked in self._get_param("tasks", []):
        task = backend.task(_cluster(self), asked)
        if task is None:
            failures.append(_missing(asked))
            continue
        told = task.describe()
        if "TAGS" not in self._get_param("include", []):
            told.pop("tags")
        tasks.append(told)
    return ActionResult({"tasks": tasks, "failures": failures})


# --- what does not run here ---


def _refused(name: str, why: str) -> Any:
    def refuse(self: Any) -> EmptyResult:
        raise NotImplementedError(why)

    refuse.__name__ = name
    return refuse


_NO_SETS = "Task sets belong to external deployments, which do not run here."
_NO_INSTANCES = "There are no container instances here: tasks are processes (use RunTask with launchType FARGATE)."
REFUSED = [
    *(
        _refused(name, _NO_SETS)
        for name in ("create_task_set", "update_task_set", "delete_task_set", "update_service_primary_task_set")
    ),
    *(_refused(name, _NO_INSTANCES) for name in ("start_task", "register_container_instance")),
]
REPLACED = [
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
]
