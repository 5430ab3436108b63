"""ECS: a task is processes on an address of its own, a service is tasks behind a real load balancer."""

from __future__ import annotations

from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from ..install import Context, add_actions, replace_backend
from .models import ContainerService
from .responses import REFUSED, REPLACED


def install(context: Context) -> None:
    """Puts the executing backend into moto."""
    replace_backend(ecs_backends, ContainerService, context)
    add_actions(EC2ContainerServiceResponse, *REPLACED, *REFUSED)
