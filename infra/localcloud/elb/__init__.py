"""Elastic Load Balancing v2: each listener is a route of a running Caddy, and health checks are real HTTP requests."""

from __future__ import annotations

from moto.elbv2.models import elbv2_backends
from moto.elbv2.responses import ELBV2Response

from infra.localcloud.elb.models import ElbBackend
from infra.localcloud.elb.responses import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts the executing backend and its actions into moto."""
    replace_backend(elbv2_backends, ElbBackend, context)
    add_actions(ELBV2Response, *ACTIONS)


def load_balancing(context: Context) -> ElbBackend:
    """The backend of the server's account and region, with which ECS registers its tasks."""
    backend = elbv2_backends[context.config.account][context.config.region]
    assert isinstance(backend, ElbBackend)
    return backend
