"""Elastic Load Balancing v2: listeners are routes of a real Caddy, health is decided by requests really made."""

from __future__ import annotations

from moto.elbv2.models import elbv2_backends
from moto.elbv2.responses import ELBV2Response

from ..install import Context, add_actions, replace_backend
from . import actions
from .models import LoadBalancing


def install(context: Context) -> None:
    """Puts the executing backend into moto."""
    replace_backend(elbv2_backends, LoadBalancing, context)
    add_actions(
        ELBV2Response,
        actions.create_rule,
        actions.modify_rule,
        actions.set_rule_priorities,
        actions.modify_target_group,
    )


def load_balancing(context: Context) -> LoadBalancing:
    """The backend of the server's own account and region: what ECS registers its tasks with."""
    return elbv2_backends[context.config.account][context.config.region]
