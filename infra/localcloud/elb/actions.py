"""Actions that moto has and that are refused here, because no listener would do as asked; and one that moto gets wrong."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult


def create_rule(self: Any) -> ActionResult:
    raise NotImplementedError("Listener rules are not routed: a listener has its default action only.")


def modify_rule(self: Any) -> ActionResult:
    raise NotImplementedError("Listener rules are not routed: a listener has its default action only.")


def set_rule_priorities(self: Any) -> ActionResult:
    raise NotImplementedError("Listener rules are not routed: a listener has its default action only.")


def modify_target_group(self: Any) -> ActionResult:
    """moto reads ``HealthCheckEnabled`` as text; a parsed request has a boolean."""
    group = self.elbv2_backend.modify_health_check(self._get_params())
    return ActionResult({"TargetGroups": [group]})
