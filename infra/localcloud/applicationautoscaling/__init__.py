"""Application Auto Scaling: targets, policies and tags are kept. Nothing is scaled."""

from __future__ import annotations

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from infra.localcloud.applicationautoscaling.models import ScalingBackend
from infra.localcloud.applicationautoscaling.responses import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and the actions that moto lacks into moto."""
    replace_backend(applicationautoscaling_backends, ScalingBackend, context)
    add_actions(ApplicationAutoScalingResponse, *ACTIONS)
