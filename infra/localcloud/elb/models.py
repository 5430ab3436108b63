"""moto's Elastic Load Balancing, with targets that are really checked and listeners that really listen."""

from __future__ import annotations

import threading
from typing import Any

from moto.elbv2.exceptions import ELBClientError, InvalidTargetError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeTargetGroup

from ..install import Context
from .caddy import Caddy, CaddyError, fixed, forward, server
from .names import NameServer
from .targets import Check, Targets

_DNS_NAME = "127.0.0.1"


class LoadBalancing(ELBv2Backend):
    """One account and region. Application load balancers over HTTP with targets of type ``ip``; the rest is refused."""

    context: Context

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._lock = threading.RLock()
        self._making = threading.Lock()  # not _lock: names are looked up while a new configuration is being loaded
        self._targets: Targets | None = None
        self._names: NameServer | None = None
        self._caddy: Caddy | None = None

    # --- what ECS asks ---

    @property
    def targets(self) -> Targets:
        with self._making:
            if self._targets is None:
                self._targets = Targets(self._check_of)
            return self._targets

    def is_attached(self, target_group_arn: str) -> bool:
        """Whether a listener forwards to the group."""
        return any(target_group_arn in forwards(listener) for listener in self._listeners())

    def register(self, target_group_arn: str, address: str, port: int) -> None:
        """Registers one target; a port that the group had no target on yet is made known to Caddy."""
        known = self._ports(target_group_arn)
        self.targets.register(target_group_arn, address, port)
        if port not in known:
            self._listen()

    def deregister(self, target_group_arn: str, address: str, port: int) -> bool:
        """Drains one target for as long as the group's attribute says. False when it is not registered."""
        return self.targets.deregister(target_group_arn, address, port, self.deregistration_delay(target_group_arn))

    def deregistration_delay(self, target_group_arn: str) -> float:
        """Seconds that a target is drained for."""
        group = self.target_groups.get(target_group_arn)
        # Caddy believes a name for a tenth of a second: with less than that, a drained target would still be sent requests.
        return max(0.5, float(group.attributes["deregistration_delay.timeout_seconds"])) if group else 0.5

    # --- the API ---

    def create_load_balancer(self, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
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
        super().delete_load_balancer(arn)
        self._listen()

    def create_target_group(self, name: str, **kwargs: Any) -> FakeTargetGroup:
        if kwargs.get("target_type") != "ip" or kwargs.get("protocol") != "HTTP":
            raise NotImplementedError(
                "Target groups here have TargetType ip and Protocol HTTP: no others can be sent requests."
            )
        return super().create_target_group(name, **kwargs)

    def delete_target_group(self, target_group_arn: str) -> FakeTargetGroup:
        group = super().delete_target_group(target_group_arn)
        self.targets.forget(target_group_arn)
        return group

    def modify_health_check(self, wanted: dict[str, Any]) -> FakeTargetGroup:
        """ModifyTargetGroup."""
        group = self._group(wanted["TargetGroupArn"])
        for member, attribute in _HEALTH_FIELDS.items():
            if member in wanted:
                setattr(group, attribute, wanted[member])
        return group

    def modify_target_group_attributes(self, target_group_arn: str, attributes: dict[str, Any]) -> None:
        super().modify_target_group_attributes(target_group_arn, attributes)
        if "load_balancing.algorithm.type" in attributes:
            self._listen()

    def create_listener(self, *args: Any, **kwargs: Any) -> FakeListener:
        listener = super().create_listener(*args, **kwargs)
        try:
            self._listen()
        except (CaddyError, NotImplementedError) as error:
            super().delete_listener(listener.arn)
            raise _refused(error, listener.port) from None
        return listener

    def modify_listener(self, arn: str, *args: Any, **kwargs: Any) -> FakeListener:
        before = dict(vars(self.describe_listeners(None, [arn])[0]))
        listener = super().modify_listener(arn, *args, **kwargs)
        try:
            self._listen()
        except (CaddyError, NotImplementedError) as error:
            port = listener.port
            vars(listener).update(before)
            raise _refused(error, port) from None
        return listener

    def delete_listener(self, listener_arn: str) -> FakeListener:
        listener = super().delete_listener(listener_arn)
        self._listen()
        return listener

    def register_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        group = self._group(target_group_arn)
        for target in instances:
            self.register(target_group_arn, target["Id"], int(target.get("Port") or group.port))

    def deregister_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        group = self._group(target_group_arn)
        known = self.targets.list(target_group_arn)
        for target in instances:
            ports = (
                [int(target["Port"])] if target.get("Port") else [t.port for t in known if t.address == target["Id"]]
            )
            if not ports:
                raise InvalidTargetError()
            for port in ports or [int(group.port)]:
                self.deregister(target_group_arn, target["Id"], port)

    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        group = self._group(target_group_arn)
        asked = {(t["Id"], int(t.get("Port") or group.port)) for t in targets or []}
        attached = self.is_attached(target_group_arn)
        found = [t for t in self.targets.list(target_group_arn) if not asked or (t.address, t.port) in asked]
        described = []
        for target in found:
            health = {"State": target.state, "Reason": target.reason or None, "Description": target.description or None}
            if not attached and target.state != "draining":
                health = {
                    "State": "unused",
                    "Reason": "Target.NotInUse",
                    "Description": "Target group is not used by a listener",
                }
            described.append(_health(target.address, target.port, group, health))
        for address, port in sorted(asked - {(t.address, t.port) for t in found}):
            text = "Target is not registered to the target group"
            described.append(
                _health(
                    address, port, group, {"State": "unused", "Reason": "Target.NotRegistered", "Description": text}
                )
            )
        return described

    # --- within ---

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

    def _check_of(self, arn: str) -> Check | None:
        group = self.target_groups.get(arn)
        if group is None:
            return None
        port = group.health_check_port
        return Check(
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
        port, _, identity = name.partition(".")
        for arn in list(self.target_groups):
            if _name(arn) == identity:
                return self.targets.healthy(arn, int(port))
        return []

    def _listen(self) -> None:
        with self._lock:
            servers = {f"listener-{listener.port}": self._server(listener) for listener in self._listeners()}
            if self._caddy is None:
                if not servers:
                    return
                self._caddy = Caddy(self.context.config, self.context.runner)
            self._caddy.load(servers)

    def _server(self, listener: FakeListener) -> dict[str, Any]:
        if listener.protocol != "HTTP" or len(listener.default_actions) != 1:
            raise NotImplementedError("A listener here has Protocol HTTP and one default action.")
        action = listener.default_actions[0].data
        if action["Type"] == "fixed-response":
            config = action["FixedResponseConfig"]
            handler = fixed(int(config["StatusCode"]), config.get("MessageBody", ""), config.get("ContentType", ""))
        elif action["Type"] == "forward" and len(groups := forwards(listener)) == 1:
            if self._names is None:
                self._names = NameServer(self._resolve)
            algorithm = self._group(groups[0]).attributes["load_balancing.algorithm.type"]
            handler = forward(_name(groups[0]), sorted(self._ports(groups[0])), self._names.port, algorithm)
        else:
            raise NotImplementedError("A default action here is a fixed response or forwards to one target group.")
        return server(int(listener.port), handler)


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


def forwards(listener: FakeListener) -> list[str]:
    """ARNs of the target groups that the listener's default actions forward to."""
    found: list[str] = []
    for action in listener.default_actions:
        if action.data.get("TargetGroupArn"):
            found.append(action.data["TargetGroupArn"])
        else:
            found += [group["TargetGroupArn"] for group in action.data.get("ForwardConfig", {}).get("TargetGroups", [])]
    return found


def _name(arn: str) -> str:
    """A DNS label that is the group's own: the id at the end of its ARN."""
    return f"tg-{arn.rsplit('/', 1)[1].lower()}"


def _health(address: str, port: int, group: FakeTargetGroup, health: dict[str, Any]) -> dict[str, Any]:
    check = group.health_check_port
    checked = str(port) if check in (None, "traffic-port") else str(check)
    return {"Target": {"Id": address, "Port": port}, "HealthCheckPort": checked, "TargetHealth": health}


def _refused(error: Exception, port: object) -> Exception:
    if isinstance(error, NotImplementedError):
        return error
    return ELBClientError(
        "OperationNotPermitted", f"The listener cannot listen on 127.0.0.1:{port}. Caddy says: {error}"
    )
