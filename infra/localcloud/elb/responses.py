"""ELB actions that are refused because no listener would route accordingly, and one that moto parses wrongly."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from infra.localcloud.elb.models import ElbBackend

_NO_RULES = "Listener rules are not routed: a listener has its default action only."


def create_rule(self: ELBV2Response) -> ActionResult:
    """CreateRule: refused."""
    raise NotImplementedError(_NO_RULES)


def modify_rule(self: ELBV2Response) -> ActionResult:
    """ModifyRule: refused."""
    raise NotImplementedError(_NO_RULES)


def set_rule_priorities(self: ELBV2Response) -> ActionResult:
    """SetRulePriorities: refused."""
    raise NotImplementedError(_NO_RULES)


def modify_target_group(self: ELBV2Response) -> ActionResult:
    """ModifyTargetGroup. Moto's version expects ``HealthCheckEnabled`` as text; a parsed request has a boolean."""
    backend = self.elbv2_backend
    assert isinstance(backend, ElbBackend)
    group = backend.modify_health_check(self._get_params())
    return ActionResult({"TargetGroups": [group]})


ACTIONS = (create_rule, modify_rule, set_rule_priorities, modify_target_group)
