"""moto's ECS, whose services and tasks really run."""

from __future__ import annotations

import threading
from typing import Any

from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend

from infra.localcloud.elb import load_balancing
from infra.localcloud.elb.models import ElbBackend
from ..install import Context
from .rollout import stop
from .scheduler import Scheduler
from .service import DEPLOYED, Service
from .tasks import Task

_MANUAL_STOP = "Service deployment was stopped by a StopServiceDeployment request."


class ContainerService(EC2ContainerServiceBackend):
    """One account and region. Services are rolling deployments of Fargate tasks; other kinds are refused."""

    context: Context

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._started = threading.Lock()
        self._scheduler: Scheduler | None = None

    @property
    def balancing(self) -> ElbBackend:
        return load_balancing(self.context)

    @property
    def scheduler(self) -> Scheduler:
        with self._started:
            if self._scheduler is None:
                self._scheduler = Scheduler(self.context, self.balancing, self.account_id, self.region_name)
                self.services = self._scheduler.services  # where moto's tagging looks for them
            return self._scheduler

    # --- clusters ---

    def create_cluster(self, cluster_name: str, *args: Any, **kwargs: Any) -> Cluster:
        """A name that is taken answers the cluster that has it, as it is."""
        existing = self.clusters.get(cluster_name)
        if existing is not None and existing.status == "ACTIVE":
            return existing
        return super().create_cluster(cluster_name, *args, **kwargs)

    def delete_cluster(self, cluster_str: str) -> Cluster:
        cluster = self._get_cluster(cluster_str)
        if any(s.cluster is cluster and s.status == "ACTIVE" for s in self.scheduler.services.values()):
            raise ECSException(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if any(t.cluster is cluster and t.last_status != "STOPPED" for t in self.scheduler.tasks.values()):
            raise ECSException("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        return super().delete_cluster(cluster_str)

    # --- services ---

    def service(self, cluster: str, name: str) -> Service:
        """By name or ARN; raises ServiceNotFoundException."""
        found = self.scheduler.services.get(f"{self._get_cluster(cluster).name}:{name.split('/')[-1]}")
        if found is None:
            raise ServiceNotFoundException()
        return found

    def active_service(self, cluster: str, name: str) -> Service:
        found = self.service(cluster, name)
        if found.status != "ACTIVE":
            raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def make_service(self, request: dict[str, Any]) -> Service:
        """CreateService."""
        cluster = self._active_cluster(request.get("cluster") or "default")
        _check_kind(request)
        definition = self._definition(request.get("taskDefinition") or "")
        self._check_balancers(request, definition)
        with self.scheduler.lock:
            key = f"{cluster.name}:{request['serviceName']}"
            known = self.scheduler.services.get(key)
            if known and known.status != "INACTIVE":
                raise InvalidParameterException("Creation of service was not idempotent.")
            service = Service(cluster, request, definition, self.account_id, self.region_name)
            service.deploy(definition).record.move("IN_PROGRESS")
            self.scheduler.services[key] = service
            return service

    def change_service(self, request: dict[str, Any]) -> Service:
        """UpdateService. A changed task definition, network or load balancer, or forceNewDeployment, starts a new deployment."""
        service = self.active_service(request.get("cluster") or "default", request["service"])
        _check_kind(request)
        wanted = {
            name: value for name, value in request.items() if name not in ("cluster", "service", "forceNewDeployment")
        }
        definition = self._definition(wanted["taskDefinition"]) if wanted.get("taskDefinition") else service.definition
        self._check_balancers({**service.settings, **wanted}, definition)
        with self.scheduler.lock:
            changed = definition is not service.definition or any(
                name != "taskDefinition" and name in wanted and wanted[name] != service.settings.get(name)
                for name in DEPLOYED
            )
            service.settings.update(wanted)
            service.desired = int(wanted.get("desiredCount", service.desired))
            if changed or request.get("forceNewDeployment"):
                service.deploy(definition).record.move("IN_PROGRESS")
            return service

    def end_service(self, cluster: str, name: str, force: bool) -> Service:
        """DeleteService: tasks are drained and stopped, then the service is INACTIVE."""
        service = self.active_service(cluster, name)
        with self.scheduler.lock:
            if service.desired and not force:
                raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
            service.desired, service.status = 0, "DRAINING"
            for record in service.history:
                if not record.is_over:
                    record.move("STOPPED", "Service was deleted.", over=True)
            for task in list(service.tasks):
                self.scheduler.stop_task(task, "Service was deleted", "ServiceSchedulerInitiated")
            return service

    def stop_deployment(self, arn: str, kind: str) -> str:
        """StopServiceDeployment: ROLLBACK (the default) or ABORT."""
        with self.scheduler.lock:
            for service in self.scheduler.services.values():
                record = next((r for r in service.history if r.arn == arn), None)
                if record and record.is_over:
                    raise EcsClientException(f"Service deployment {arn} has ended: {record.status}.")
                if record:
                    stop(service, _MANUAL_STOP, rollback=kind == "ROLLBACK")
                    return arn
        raise ECSException("ServiceDeploymentNotFoundException", f"Service deployment {arn} was not found.")

    # --- tasks ---

    def run_tasks(self, request: dict[str, Any]) -> list[Task]:
        """RunTask: one-off tasks, which run until they end."""
        cluster = self._active_cluster(request.get("cluster") or "default")
        definition = self._definition(request["taskDefinition"])
        count = int(request.get("count") or 1)
        if not 1 <= count <= 10:
            raise InvalidParameterException("count must be between 1 and 10.")
        return [self.scheduler.start_task(cluster, definition, request) for _ in range(count)]

    def task(self, cluster: str, name: str) -> Task | None:
        """By id or ARN; None when it is not known (any more)."""
        found = self._get_cluster(cluster)
        return next((t for t in self.scheduler.tasks.values() if t.cluster is found and name in (t.arn, t.id)), None)

    # --- checks ---

    def _active_cluster(self, name: str) -> Cluster:
        cluster = self._get_cluster(name)
        if cluster.status != "ACTIVE":
            raise EcsClientException("The specified cluster is inactive. Specify an active cluster and try again.")
        return cluster

    def _definition(self, name: str) -> Any:
        definition = self.describe_task_definition(name)
        if definition.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        return definition

    def _check_balancers(self, request: dict[str, Any], definition: Any) -> None:
        for balancer in request.get("loadBalancers") or []:
            arn = balancer.get("targetGroupArn")
            if not arn or arn not in self.balancing.target_groups:
                raise InvalidParameterException(f"The specified target group {arn} does not exist.")
            if not self.balancing.is_attached(arn):
                raise InvalidParameterException(
                    f"The target group with targetGroupArn {arn} does not have an associated load balancer."
                )
            name, port = balancer.get("containerName"), balancer.get("containerPort")
            container = next((c for c in definition.container_definitions if c["name"] == name), None)
            if container is None:
                raise InvalidParameterException(f"The container {name} does not exist in the task definition.")
            if port not in [int(m["containerPort"]) for m in container.get("portMappings") or []]:
                raise InvalidParameterException(f"The container {name} did not have a container port {port} defined.")


def _check_kind(request: dict[str, Any]) -> None:
    """Refuses what would not be done as asked."""
    configuration = request.get("deploymentConfiguration") or {}
    refused = {
        "a deployment controller other than ECS": (request.get("deploymentController") or {}).get("type", "ECS")
        != "ECS",
        "the scheduling strategy DAEMON": request.get("schedulingStrategy", "REPLICA") != "REPLICA",
        "service registries": bool(request.get("serviceRegistries")),
        "Service Connect": bool((request.get("serviceConnectConfiguration") or {}).get("enabled")),
        "volume configurations": bool(request.get("volumeConfigurations")),
        "deployment strategies other than ROLLING": configuration.get("strategy", "ROLLING") != "ROLLING",
        "deployment alarms": bool((configuration.get("alarms") or {}).get("enable")),
    }
    for what, asked in refused.items():
        if asked:
            raise NotImplementedError(
                f"Services here are rolling deployments of replicas; there is no support for {what}."
            )
