"""moto's ECS, with services and tasks that run."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, TaskDefinition

from infra.localcloud.ecs import capacity, rollout
from infra.localcloud.ecs.resources import Service, Task
from infra.localcloud.ecs.scheduler import Scheduler
from infra.localcloud.ecs.task_pool import TaskPool
from infra.localcloud.elb import load_balancing
from infra.localcloud.elb.models import ElbBackend
from infra.localcloud.install import Context

_STOPPED_BY_REQUEST = "Service deployment was stopped by a StopServiceDeployment request."
_MAX_TASKS = 10
# A change of one of these settings starts a new deployment; a change of any other updates the service only.
_DEPLOYED_SETTINGS = (
    "networkConfiguration",
    "loadBalancers",
    "platformVersion",
    "capacityProviderStrategy",
    "propagateTags",
)


class EcsBackend(EC2ContainerServiceBackend):
    """Clusters, services and tasks of one account and region.

    Services are rolling deployments of Fargate tasks; other kinds are refused.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"_scheduler": None}
    context: ClassVar[Context]
    # moto's tag actions look for services here; they use `arn` and `tags` only.
    services: dict[str, Service]  # type: ignore[assignment]  # ours in place of moto's

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._starting = threading.Lock()
        self._scheduler: Scheduler | None = None
        self._started_tasks: dict[str, Task] = {}

    @property
    def balancing(self) -> ElbBackend:
        """The load balancers with which tasks are registered."""
        return load_balancing(self.context)

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler, started when it is first used."""
        with self._starting:
            if self._scheduler is None:
                tasks = TaskPool(self.context, self.balancing, self.account_id, self.region_name, self._started_tasks)
                store = self.context.state
                self._scheduler = Scheduler(tasks, self.services, self.context.background, lambda: store.soon(self))
                self.balancing.targets.on_change = self._scheduler.wake
            return self._scheduler

    def resume(self) -> None:
        """Starts the tasks of the restored services."""
        if self.services:
            assert self.scheduler

    # --- clusters ---

    def cluster(self, name: str) -> Cluster:
        """The cluster with this name or ARN.

        Raises:
            ClusterNotFoundException: There is none.
        """
        return self._get_cluster(name)

    def create_cluster(self, cluster_name: str, *args: Any, **kwargs: Any) -> Cluster:
        """CreateCluster; an active cluster with the name is returned unchanged."""
        existing = self.clusters.get(cluster_name)
        if existing is not None and existing.status == "ACTIVE":
            return existing
        return super().create_cluster(cluster_name, *args, **kwargs)

    def delete_cluster(self, cluster_str: str) -> Cluster:
        """DeleteCluster; refused while it has services or tasks.

        Raises:
            ECSException: It has active services or tasks.
        """
        cluster = self.cluster(cluster_str)
        if any(s.cluster is cluster and s.status == "ACTIVE" for s in self.scheduler.services.values()):
            raise ECSException(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if any(t.cluster is cluster and t.last_status != "STOPPED" for t in self.scheduler.tasks.all()):
            raise ECSException("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        return super().delete_cluster(cluster_str)

    # --- services ---

    def service(self, cluster: str, name: str) -> Service:
        """The service with this name or ARN.

        Raises:
            ServiceNotFoundException: There is none.
        """
        found = self.scheduler.services.get(f"{self.cluster(cluster).name}:{name.rsplit('/', maxsplit=1)[-1]}")
        if found is None:
            raise ServiceNotFoundException()
        return found

    def active_service(self, cluster: str, name: str) -> Service:
        """The service, which is active.

        Raises:
            ServiceNotFoundException: There is none.
            ECSException: It is not active.
        """
        found = self.service(cluster, name)
        if found.status != "ACTIVE":
            raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def start_service(self, request: dict[str, Any]) -> Service:
        """CreateService.

        Raises:
            InvalidParameterException: The name is taken, there is no capacity, or a load balancer does not fit.
            NotImplementedError: The request uses a feature that is not supported.
        """
        cluster = self._active_cluster(request.get("cluster") or "default")
        _refuse_unsupported(request)
        definition = self._active_definition(request.get("taskDefinition") or "")
        capacity.check(request, cluster, definition)
        self._check_balancers(request, definition)
        with self.scheduler.lock:
            key = f"{cluster.name}:{request['serviceName']}"
            known = self.scheduler.services.get(key)
            if known and known.status != "INACTIVE":
                raise InvalidParameterException("Creation of service was not idempotent.")
            service = Service(cluster, request, definition, self.account_id, self.region_name)
            rollout.start(service, definition)
            self.scheduler.services[key] = service
            self.scheduler.wake()
            return service

    def change_service(self, request: dict[str, Any]) -> Service:
        """UpdateService.

        Another task definition, network or load balancer, or forceNewDeployment, starts a new deployment. Raises as
        :meth:`start_service` and :meth:`active_service`.
        """
        service = self.active_service(request.get("cluster") or "default", request["service"])
        _refuse_unsupported(request)
        changes = {
            name: value for name, value in request.items() if name not in ("cluster", "service", "forceNewDeployment")
        }
        definition = service.definition
        if changes.get("taskDefinition"):
            definition = self._active_definition(changes["taskDefinition"])
        self._check_balancers({**service.settings, **changes}, definition)
        with self.scheduler.lock:
            redeploy = definition is not service.definition or any(
                name in changes and changes[name] != service.settings.get(name) for name in _DEPLOYED_SETTINGS
            )
            service.settings.update(changes)
            service.desired_count = int(changes.get("desiredCount", service.desired_count))
            if redeploy or request.get("forceNewDeployment"):
                rollout.start(service, definition)
            service.is_steady = False
            self.scheduler.wake()
            return service

    def end_service(self, cluster: str, name: str, force: bool) -> Service:
        """DeleteService: tasks are drained and stopped, then the service is INACTIVE.

        Raises:
            InvalidParameterException: The desired count is above 0, and ``force`` is not set.
        """
        service = self.active_service(cluster, name)
        with self.scheduler.lock:
            if service.desired_count and not force:
                raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
            service.desired_count, service.status = 0, "DRAINING"
            for record in service.rollouts:
                if not record.is_over:
                    record.set_status("STOPPED", "Service was deleted.", over=True)
            for task in list(service.tasks):
                self.scheduler.tasks.stop(task, "Service was deleted", "ServiceSchedulerInitiated")
            self.scheduler.wake()
            return service

    def stop_deployment(self, arn: str, kind: str) -> str:
        """StopServiceDeployment.

        Args:
            arn: The service deployment.
            kind: ROLLBACK or ABORT.

        Raises:
            EcsClientException: It has ended.
            ECSException: It does not exist.
        """
        with self.scheduler.lock:
            for service in self.scheduler.services.values():
                record = next((r for r in service.rollouts if r.arn == arn), None)
                if record and record.is_over:
                    raise EcsClientException(f"Service deployment {arn} has ended: {record.status}.")
                if record:
                    rollout.stop(service, _STOPPED_BY_REQUEST, rollback=kind == "ROLLBACK")
                    self.scheduler.wake()
                    return arn
        raise ECSException("ServiceDeploymentNotFoundException", f"Service deployment {arn} was not found.")

    # --- tasks ---

    def run_tasks(self, request: dict[str, Any]) -> list[Task]:
        """RunTask: tasks without a service, which run until they end.

        Raises:
            InvalidParameterException: ``count`` is out of range, or there is no capacity for the tasks.
        """
        cluster = self._active_cluster(request.get("cluster") or "default")
        definition = self._active_definition(request["taskDefinition"])
        count = int(request.get("count") or 1)
        if not 1 <= count <= _MAX_TASKS:
            raise InvalidParameterException(f"count must be between 1 and {_MAX_TASKS}.")
        capacity.check(request, cluster, definition)
        return [self.scheduler.tasks.start(cluster, definition, request) for _ in range(count)]

    def task(self, cluster: str, name: str) -> Task | None:
        """The task with this id or ARN; None when it does not exist (any more)."""
        found = self.cluster(cluster)
        return next((t for t in self.scheduler.tasks.all() if t.cluster is found and name in (t.arn, t.id)), None)

    # --- checks ---

    def _active_cluster(self, name: str) -> Cluster:
        cluster = self.cluster(name)
        if cluster.status != "ACTIVE":
            raise EcsClientException("The specified cluster is inactive. Specify an active cluster and try again.")
        return cluster

    def _active_definition(self, name: str) -> TaskDefinition:
        definition = self.describe_task_definition(name)
        if definition.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        return definition

    def _check_balancers(self, request: dict[str, Any], definition: TaskDefinition) -> None:
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
            # Any: moto types the members of a container definition by those of its defaults.
            mappings: Any = container.get("portMappings") or []
            if port not in [int(mapping["containerPort"]) for mapping in mappings]:
                raise InvalidParameterException(f"The container {name} did not have a container port {port} defined.")


def _refuse_unsupported(request: dict[str, Any]) -> None:
    configuration = request.get("deploymentConfiguration") or {}
    controller = (request.get("deploymentController") or {}).get("type", "ECS")
    features = {
        "a deployment controller other than ECS": controller != "ECS",
        "the scheduling strategy DAEMON": request.get("schedulingStrategy", "REPLICA") != "REPLICA",
        "service registries": bool(request.get("serviceRegistries")),
        "Service Connect": bool((request.get("serviceConnectConfiguration") or {}).get("enabled")),
        "volume configurations": bool(request.get("volumeConfigurations")),
        "deployment strategies other than ROLLING": configuration.get("strategy", "ROLLING") != "ROLLING",
        "deployment alarms": bool((configuration.get("alarms") or {}).get("enable")),
    }
    for feature, used in features.items():
        if used:
            raise NotImplementedError(
                f"Services here are rolling deployments of replicas; there is no support for {feature}."
            )
