"""The ELB action that moto parses wrongly."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from infra.localcloud.elb.models import ElbBackend


def modify_target_group(self: ELBV2Response) -> ActionResult:
    """ModifyTargetGroup. Moto's version expects ``HealthCheckEnabled`` as text; a parsed request has a boolean."""
    backend = self.elbv2_backend
    assert isinstance(backend, ElbBackend)
    group = backend.modify_health_check(self._get_params())
    return ActionResult({"TargetGroups": [group]})


ACTIONS = (modify_target_group,)
