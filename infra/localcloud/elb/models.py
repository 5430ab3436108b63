"""moto's Elastic Load Balancing, with targets that are health-checked and listeners that listen."""

from __future__ import annotations

import sys
import threading
from typing import Any, ClassVar

from moto.elbv2.exceptions import ELBClientError, InvalidTargetError, TargetGroupNotFoundError
from moto.elbv2.models import FakeListener, FakeLoadBalancer, FakeTargetGroup

from infra.localcloud.elb import caddy, certificates, describe
from infra.localcloud.elb.caddy import Caddy
from infra.localcloud.elb.errors import CaddyError
from infra.localcloud.elb.listeners import caddy_server, dns_label, forwarded_groups
from infra.localcloud.elb.nameserver import NameServer
from infra.localcloud.elb.rules import ListenerRules, client_error
from infra.localcloud.elb.targets import HealthCheck, TargetRegistry
from infra.localcloud.elb.traffic import RequestCounts
from infra.localcloud.install import Context

_DNS_NAME = "127.0.0.1"
# Caddy caches a name for a tenth of a second: drained for less, a target would still be sent requests.
_MIN_DRAIN_SECONDS = 0.5
_HEALTH_FIELDS = {
    "HealthCheckProtocol": "health_check_protocol",
    "HealthCheckPort": "health_check_port",
    "HealthCheckPath": "health_check_path",
    "HealthCheckIntervalSeconds": "health_check_interval_seconds",
    "HealthCheckTimeoutSeconds": "health_check_timeout_seconds",
    "HealthCheckEnabled": "health_check_enabled",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
    "Matcher": "matcher",
}


class ElbBackend(ListenerRules):
    """The load balancers of one account and region.

    They are application load balancers over HTTP and HTTPS with targets of type ``ip``; other kinds are refused.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"_targets": None, "_names": None, "_caddy": None, "_counts": None}
    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        # What RegisterTargets registered: group, address and port. ECS registers its tasks itself.
        self.requested_targets: set[tuple[str, str, int]] = set()
        self._lock = threading.RLock()
        # Not _lock: names are resolved while a new configuration is being loaded.
        self._creating = threading.Lock()
        self._targets: TargetRegistry | None = None
        self._names: NameServer | None = None
        self._caddy: Caddy | None = None
        self._counts = RequestCounts()

    def take_request_counts(self) -> dict[str, float]:
        """How many requests each target group got since the last call, by its ARN."""
        return self._counts.take(self._caddy.metrics() if self._caddy else "", self._listeners())

    # --- used by ECS ---

    @property
    def targets(self) -> TargetRegistry:
        """The targets of all target groups."""
        with self._creating:
            if self._targets is None:
                self._targets = TargetRegistry(self._health_check, self.context.background)
            return self._targets

    def is_attached(self, target_group_arn: str) -> bool:
        """Whether a listener forwards to the group."""
        return any(target_group_arn in forwarded_groups(listener) for listener in self._listeners())

    def register(self, target_group_arn: str, address: str, port: int) -> None:
        """Registers one target. A port that is new to the group is added to Caddy's configuration."""
        known = self._ports(target_group_arn)
        self.targets.register(target_group_arn, address, port)
        if port not in known:
            self.load_listeners()

    def deregister(self, target_group_arn: str, address: str, port: int) -> bool:
        """Drains one target for the group's deregistration delay. False when it is not registered."""
        return self.targets.deregister(target_group_arn, address, port, self.deregistration_delay(target_group_arn))

    def deregistration_delay(self, target_group_arn: str) -> float:
        """Seconds for which a target of the group is drained."""
        group = self.target_groups.get(target_group_arn)
        if group is None:
            return _MIN_DRAIN_SECONDS
        return max(_MIN_DRAIN_SECONDS, float(str(group.attributes["deregistration_delay.timeout_seconds"])))

    # --- used by the stored state ---

    def resume(self) -> None:
        """Listens on the ports of the restored listeners, and checks the restored targets."""
        for group, address, port in self.requested_targets:
            self.targets.register(group, address, port)
        try:
            self.load_listeners()
        except CaddyError as error:
            # The listeners stay described. The next change of a listener tries again.
            sys.stderr.write(f"The listeners of the stored load balancers do not listen: {error}\n")

    # --- actions ---

    def create_load_balancer(self, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """CreateLoadBalancer; refuses other types than ``application``."""
        kind = kwargs.get("loadbalancer_type") or "application"
        if kind != "application":
            raise NotImplementedError(
                f"Load balancers of type {kind} do not run here: only application load balancers do."
            )
        balancer = super().create_load_balancer(*args, **kwargs)
        balancer.dns_name = _DNS_NAME
        balancer.activate()
        return balancer

    def delete_load_balancer(self, arn: str) -> None:
        """DeleteLoadBalancer; its listeners stop listening."""
        super().delete_load_balancer(arn)
        self.load_listeners()

    def create_target_group(self, name: str, **kwargs: Any) -> FakeTargetGroup:
        """CreateTargetGroup; refuses other target types than ``ip`` and other protocols than HTTP."""
        if kwargs.get("target_type") != "ip" or kwargs.get("protocol") != "HTTP":
            raise NotImplementedError(
                "Target groups here have TargetType ip and Protocol HTTP: requests cannot be sent to others."
            )
        return super().create_target_group(name, **kwargs)

    def delete_target_group(self, target_group_arn: str) -> FakeTargetGroup:
        """DeleteTargetGroup; its targets are forgotten."""
        group = super().delete_target_group(target_group_arn)
        self.targets.forget(target_group_arn)
        self.requested_targets = {target for target in self.requested_targets if target[0] != target_group_arn}
        return group

    def modify_health_check(self, request: dict[str, Any]) -> FakeTargetGroup:
        """ModifyTargetGroup."""
        group = self._group(request["TargetGroupArn"])
        for member, attribute in _HEALTH_FIELDS.items():
            if member in request:
                setattr(group, attribute, request[member])
        return group

    def modify_target_group_attributes(self, target_group_arn: str, attributes: dict[str, Any]) -> None:
        """ModifyTargetGroupAttributes; another balancing algorithm takes effect at once."""
        super().modify_target_group_attributes(target_group_arn, attributes)
        if "load_balancing.algorithm.type" in attributes:
            self.load_listeners()

    def create_listener(self, *args: Any, **kwargs: Any) -> FakeListener:
        """CreateListener; it listens when this returns.

        Raises:
            ELBClientError: The port cannot be listened on.
            NotImplementedError: The protocol or action is refused.
        """
        listener = super().create_listener(*args, **kwargs)
        try:
            self.load_listeners()
        except (CaddyError, ELBClientError, NotImplementedError) as error:
            super().delete_listener(listener.arn)
            raise client_error(error, listener.port) from None
        return listener

    def modify_listener(self, arn: str, *args: Any, **kwargs: Any) -> FakeListener:
        """ModifyListener; on an error the listener stays as it was. Raises as :meth:`create_listener`."""
        with self.routed(self.describe_listeners(None, [arn])[0]):
            return super().modify_listener(arn, *args, **kwargs)

    def delete_listener(self, listener_arn: str) -> FakeListener:
        """DeleteListener; it stops listening."""
        listener = super().delete_listener(listener_arn)
        self.load_listeners()
        return listener

    def register_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        """RegisterTargets; a target without a port gets the group's."""
        group = self._group(target_group_arn)
        for target in instances:
            port = int(target.get("Port") or group.port)
            self.register(target_group_arn, target["Id"], port)
            self.requested_targets.add((target_group_arn, target["Id"], port))

    def deregister_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        """DeregisterTargets; without a port, all targets with the address.

        Raises:
            InvalidTargetError: No target has the address.
        """
        self._group(target_group_arn)
        known = self.targets.targets(target_group_arn)
        for target in instances:
            ports = (
                [int(target["Port"])] if target.get("Port") else [t.port for t in known if t.address == target["Id"]]
            )
            if not ports:
                raise InvalidTargetError()
            for port in ports:
                self.deregister(target_group_arn, target["Id"], port)
                self.requested_targets.discard((target_group_arn, target["Id"], port))

    # The items are moto's own class in the overridden method, and parts of the answer here.
    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        """DescribeTargetHealth of the given targets, or of all."""
        group = self._group(target_group_arn)
        attached = self.is_attached(target_group_arn)
        requested = {(t["Id"], int(t.get("Port") or group.port)) for t in targets or []}
        found = [t for t in self.targets.targets(target_group_arn) if not requested or (t.address, t.port) in requested]
        missing = requested - {(t.address, t.port) for t in found}
        return [
            *(describe.registered(target, group, attached=attached) for target in found),
            *(describe.not_registered(address, port, group) for address, port in sorted(missing)),
        ]

    # --- internals ---

    def _group(self, arn: str) -> FakeTargetGroup:
        try:
            return self.target_groups[arn]
        except KeyError:
            raise TargetGroupNotFoundError() from None

    def _listeners(self) -> list[FakeListener]:
        return [
            listener
            for balancer in list(self.load_balancers.values())
            for listener in list(balancer.listeners.values())
        ]

    def _ports(self, arn: str) -> set[int]:
        group = self.target_groups.get(arn)
        return self.targets.ports(arn) | ({int(group.port)} if group else set())

    def _health_check(self, arn: str) -> HealthCheck | None:
        group = self.target_groups.get(arn)
        if group is None:
            return None
        port = group.health_check_port
        return HealthCheck(
            path=group.health_check_path or "/",
            port=int(port) if port and str(port).isdigit() else None,
            interval=float(group.health_check_interval_seconds),
            timeout=float(group.health_check_timeout_seconds),
            healthy_after=int(group.healthy_threshold_count),
            unhealthy_after=int(group.unhealthy_threshold_count),
            codes=(group.matcher or {}).get("HttpCode", "200"),
            enabled=bool(group.health_check_enabled),
        )

    def _resolve(self, name: str) -> list[str]:
        port, _, label = name.partition(".")
        if not port.isdecimal():
            return []
        for arn in list(self.target_groups):
            if dns_label(arn) == label:
                return self.targets.healthy(arn, int(port))
        return []

    def load_listeners(self) -> None:
        """Loads the present listeners into Caddy, which is started for the first one.

        Raises:
            CaddyError: Caddy did not start, or rejected the configuration.
            ELBClientError: An HTTPS listener has no certificate.
            NotImplementedError: A listener is refused.
        """
        with self._lock:
            listeners = self._listeners()
            servers = {f"listener-{listener.port}": caddy_server(listener, self._forward_to) for listener in listeners}
            used: set[str] = set()
            for listener in listeners:
                if listener.protocol == "HTTPS":
                    used.update(listener.certificates)
                    servers[f"listener-{listener.port}"] |= certificates.secured(
                        listener, self.account_id, self.region_name
                    )
            if self._caddy is None:
                if not servers:
                    return
                self._caddy = Caddy(self.context.config, self.context.runner)
            self._caddy.load(servers, certificates.load(self.account_id, self.region_name, used))
        for arn, group in list(self.target_groups.items()):
            attached = [one.load_balancer_arn for one in listeners if arn in forwarded_groups(one)]
            group.load_balancer_arns = list(dict.fromkeys(attached))

    def _forward_to(self, arn: str) -> dict[str, Any]:
        if self._names is None:
            self._names = NameServer(self._resolve, self.context.background)
        algorithm = self._group(arn).attributes["load_balancing.algorithm.type"]
        return caddy.forward(dns_label(arn), sorted(self._ports(arn)), self._names.port, str(algorithm))
