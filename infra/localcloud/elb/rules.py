"""Actions on listener rules and on the certificates of listeners. What they change is routed when they return."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeListenerRule

from infra.localcloud.elb.errors import CaddyError
from infra.localcloud.elb.listeners import rules_in_order


class ListenerRules(ELBv2Backend):
    """The part of the backend that changes rules and certificates."""

    def load_listeners(self) -> None:
        """Makes the present listeners listen.

        Raises:
            CaddyError: Caddy rejected the configuration.
            NotImplementedError: A rule is not routed.
        """
        raise NotImplementedError

    @contextmanager
    def routed(self, listener: FakeListener) -> Iterator[None]:
        """Loads the listeners after the block. On an error the listener and its rules stay as they were.

        Raises:
            ELBClientError: The listener cannot listen, or lacks its certificate.
            NotImplementedError: A protocol, action or condition is refused.
        """
        before = {**vars(listener), "certificates": list(listener.certificates)}
        before["_non_default_rules"] = listener._non_default_rules.copy()
        rules = [(rule, dict(vars(rule))) for rule in listener.rules.values()]
        try:
            yield
            self.load_listeners()
        except (CaddyError, ELBClientError, NotImplementedError) as error:
            port = listener.port
            vars(listener).update(before)
            for rule, values in rules:
                vars(rule).update(values)
            raise client_error(error, port) from None

    def describe_rules(self, listener_arn: str | None, rule_arns: list[str] | None) -> list[Any]:
        """DescribeRules: in the order in which they are tried."""
        if listener_arn is not None and rule_arns is None:
            return list(rules_in_order(self._listener(listener_arn)))
        return super().describe_rules(listener_arn, rule_arns)

    def create_rule(
        self,
        listener_arn: str,
        conditions: list[dict[str, Any]],
        priority: int,
        actions: list[dict[str, Any]],
        tags: list[dict[str, str]] | None = None,
    ) -> FakeListenerRule:
        """CreateRule; it routes when this returns. Raises as :meth:`routed`."""
        with self.routed(self._listener(listener_arn)):
            return super().create_rule(listener_arn, conditions, priority, actions, tags)

    def modify_rule(self, rule_arn: str, conditions: list[dict[str, Any]], actions: list[dict[str, Any]]) -> Any:
        """ModifyRule; raises as :meth:`routed`."""
        with self.routed(self._listener_of_rule(rule_arn)):
            return super().modify_rule(rule_arn, conditions, actions)

    def delete_rule(self, arn: str) -> None:
        """DeleteRule.

        Raises:
            ELBClientError: It is the listener's default rule.
        """
        listener = self._listener_of_rule(arn)
        if any(rule.arn == arn and rule.priority == "default" for rule in listener.rules.values()):
            raise ELBClientError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        with self.routed(listener):
            super().delete_rule(arn)
            self.tagging_service.delete_all_tags_for_resource(arn)

    def set_rule_priorities(self, rule_priorities: list[dict[str, Any]]) -> list[Any]:
        """SetRulePriorities; rules may exchange their priorities."""
        moved = {entry["RuleArn"]: int(entry["Priority"]) for entry in rule_priorities}
        if len(set(moved.values())) < len(rule_priorities):
            raise ELBClientError("PriorityInUse", "The specified priority is in use.")
        listener = self._listener_of_rule(next(iter(moved)))
        others = {rule.priority for rule in listener.rules.values() if rule.arn not in moved}
        if others & set(moved.values()):
            raise ELBClientError("PriorityInUse", "The specified priority is in use.")
        with self.routed(listener):
            changed = self.describe_rules(None, list(moved))
            for rule in changed:
                rule.priority = moved[rule.arn]
            return changed

    def add_listener_certificates(self, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
        """AddListenerCertificates: a client that names a host of one of them gets that one."""
        listener = self._listener(arn)
        new = [one for one in certificates if one["CertificateArn"] not in listener.certificates]
        with self.routed(listener):
            return super().add_listener_certificates(arn, new)

    def remove_listener_certificates(self, arn: str, certificates: list[dict[str, Any]]) -> None:
        """RemoveListenerCertificates.

        Raises:
            ELBClientError: One is the default certificate.
        """
        listener = self._listener(arn)
        if any(one["CertificateArn"] == listener.certificate for one in certificates):
            raise ELBClientError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
        with self.routed(listener):
            super().remove_listener_certificates(arn, certificates)

    def _listener(self, arn: str) -> FakeListener:
        found: FakeListener = self.describe_listeners(None, [arn])[0]
        return found

    def _listener_of_rule(self, rule_arn: str) -> FakeListener:
        return self._listener(super().describe_rules(None, [rule_arn])[0].listener_arn)


def client_error(error: Exception, port: object) -> Exception:
    """What the client is told when the listener on this port cannot be made."""
    if not isinstance(error, CaddyError):
        return error
    return ELBClientError(
        "OperationNotPermitted",
        f"The listener cannot listen on 127.0.0.1:{port}. Free the port or choose another. Caddy: {error}",
    )
