"""Application Auto Scaling: services of ECS are scaled by their target tracking policies; the rest is kept.

| file | subject |
|---|---|
| ``tracking.py`` | when tasks are added or taken away, and how many |
| ``scaler.py`` | reads the metrics, and changes the services |
| ``models.py``, ``responses.py`` | the backend and the API |
"""

from __future__ import annotations

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from infra.localcloud.applicationautoscaling.models import ScalingBackend
from infra.localcloud.applicationautoscaling.responses import ACTIONS
from infra.localcloud.applicationautoscaling.scaler import Scaler
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and the actions that moto lacks into moto."""
    replace_backend(applicationautoscaling_backends, ScalingBackend, context)
    add_actions(ApplicationAutoScalingResponse, *ACTIONS)
    context.background.loop("autoscaling", Scaler(context).step)
