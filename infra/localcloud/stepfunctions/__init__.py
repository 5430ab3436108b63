"""Step Functions: definitions are validated and kept. No execution is run."""

from __future__ import annotations

from moto.stepfunctions.responses import StepFunctionResponse

from infra.localcloud.install import Context, add_actions
from infra.localcloud.stepfunctions.responses import ACTIONS


def install(context: Context) -> None:
    """Puts the actions that moto lacks into moto."""
    add_actions(StepFunctionResponse, *ACTIONS)
