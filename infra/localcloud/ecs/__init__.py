"""ECS: a task is processes on its own loopback address; a service is tasks behind a load balancer that listens."""

from __future__ import annotations

from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from infra.localcloud.ecs.models import EcsBackend
from infra.localcloud.ecs.responses import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts the executing backend and its actions into moto."""
    replace_backend(ecs_backends, EcsBackend, context)
    add_actions(EC2ContainerServiceResponse, *ACTIONS)
