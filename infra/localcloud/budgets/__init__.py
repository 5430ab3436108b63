"""Budgets: budgets, their notifications with subscribers, and tags are kept. Nothing is billed."""

from __future__ import annotations

from moto.budgets.models import budgets_backends
from moto.budgets.responses import BudgetsResponse

from infra.localcloud.budgets.models import BudgetsBackend
from infra.localcloud.budgets.responses import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and the actions that moto lacks into moto."""
    replace_backend(budgets_backends, BudgetsBackend, context)
    add_actions(BudgetsResponse, *ACTIONS)
