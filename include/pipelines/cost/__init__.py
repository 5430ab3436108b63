"""What things cost: one price table, a ledger of ended jobs, meters, a forecast, a budget."""

from include.pipelines.cost.budget import (
    Allowance,
    Costs,
    allow_extra,
    budget_warning,
    costs_of,
    remember_budget_warning,
)
from include.pipelines.cost.ledger import JobAccounts
from include.pipelines.cost.metrics import put_costs

__all__ = [
    "Allowance",
    "Costs",
    "JobAccounts",
    "allow_extra",
    "budget_warning",
    "costs_of",
    "put_costs",
    "remember_budget_warning",
]
