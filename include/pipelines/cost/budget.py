"""A workload's budget of a month. It stops paid extras, such as tuning. It never stops a night: none asks it.

An extra may use what the budget leaves after what was spent and what the rest of the month is forecast to cost, because
the nights go on whatever they cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from include.lake import state_keys
from include.lake.instants import format_instant
from include.pipelines.cost.forecast import Forecast, Spent, forecast, recent_charges, spent
from include.pipelines.cost.ledger import Charges, dollars
from include.pipelines.cost.meters import task_hour
from include.pipelines.cost.prices import prices
from include.pipelines.protocols import StateStore
from include.workloads import Workload


@dataclass(frozen=True)
class Costs:
    """Where a workload's month stands.

    Attributes:
        workload: Its name.
        month: ``2026-11``.
        budget: Dollars a month; None for no budget.
        spent: What the month has cost.
        forecast: What it will.
    """

    workload: str
    month: str
    budget: float | None
    spent: Spent
    forecast: Forecast

    @property
    def left(self) -> float | None:
        """What the budget leaves beside the nights; None for no budget."""
        return None if self.budget is None else max(self.budget - self.forecast["month"], 0.0)

    @property
    def is_used_up(self) -> bool:
        """Whether the month has cost what the budget is, or more."""
        return self.budget is not None and self.spent["month"] >= self.budget

    def sentence(self) -> str:
        """Says where the month stands."""
        text = f"{self.workload} has cost {dollars(self.spent['today'])} today and {dollars(self.spent['month'])} in "
        text += f"{self.month}; about {dollars(self.forecast['month'])} by its end (from {self.forecast['basis']})."
        return text if self.budget is None else f"{text} The budget is {dollars(self.budget)} a month."


class BudgetLeft(TypedDict):
    """What a budget leaves, for a plan that a person reads."""

    left: float | None
    """Dollars, beside the nights; None for no budget."""
    sentence: str


@dataclass(frozen=True)
class Allowance:
    """Whether a paid extra may be started.

    Attributes:
        allowed: Whether it may.
        reason: Why, or why not, and what to do; a sentence.
    """

    allowed: bool
    reason: str


def costs_of(workload: Workload, state: Charges, present: datetime) -> Costs:
    """Reads where a workload's month stands: two queries of the state table."""
    items = recent_charges(workload.name, present, state)
    hourly = workload.serving.desired_count * task_hour(workload, prices())
    expected = forecast(workload.name, items, hourly, present)
    month = f"{present.astimezone(UTC):%Y-%m}"
    return Costs(workload.name, month, workload.budget.usd_per_month, spent(items, present), expected)


def allow_extra(workload: Workload, usd: float | None, state: Charges, present: datetime) -> Allowance:
    """Decides whether a paid extra may be started.

    Args:
        workload: The workload.
        usd: What the extra may cost at most; None where nobody knows.
        state: The state table.
        present: The present.
    """
    limit = workload.budget.usd_per_month
    if limit is None:
        return Allowance(True, f"{workload.name} has no budget.")
    found = costs_of(workload, state, present)
    change = f"Raise budget.usd_per_month in {workload.name}'s workload.yaml, or wait for the next month."
    if found.is_used_up:
        used = f"{dollars(found.spent['month'])} of the budget of {dollars(limit)} is spent in {found.month}"
        return Allowance(False, f"{used}: no paid extra is started; the nights go on. {change}")
    left = found.left or 0.0
    rest = f"the budget of {dollars(limit)} leaves {dollars(left)} in {found.month} beside the nights"
    if not left:
        return Allowance(False, f"{_capital(rest)}: no paid extra is started; the nights go on. {change}")
    if usd is None:
        return Allowance(False, f"What the extra costs is unknown, and {rest}: it is not started. {change}")
    if usd > left:
        return Allowance(False, f"The extra may cost {dollars(usd)}, and {rest}: it is not started. {change}")
    return Allowance(True, f"The extra may cost {dollars(usd)}, and {rest}.")


def budget_left(workload: Workload, state: Charges, present: datetime) -> BudgetLeft:
    """Returns what the workload's budget leaves this month."""
    found = costs_of(workload, state, present)
    if found.left is None:
        return {"left": None, "sentence": ""}
    spent_of = f"{dollars(found.spent['month'])} of the budget of {dollars(found.budget or 0.0)} is spent"
    sentence = f"{spent_of} in {found.month}; beside the nights it leaves {dollars(found.left)}."
    return {"left": found.left, "sentence": sentence}


def budget_warning(costs: Costs, state: StateStore) -> list[str]:
    """Returns what a person has to be told of a budget that is used up; nothing if they were told this month."""
    if not costs.is_used_up or state.get(*state_keys.reported_budget_key(costs.workload, costs.month)) is not None:
        return []
    return [
        (
            f"The budget of {costs.workload} for {costs.month} is used up: {dollars(costs.spent['month'])} of "
            f"{dollars(costs.budget or 0.0)}. Paid extras, such as tuning, are not started until the month is over. "
            f"The nights go on: the month will cost about {dollars(costs.forecast['month'])}."
        ),
        (
            f"What it was spent on: make costs WORKLOAD={costs.workload} MONTH={costs.month}. To allow more, raise "
            "budget.usd_per_month in its workload.yaml."
        ),
    ]


def remember_budget_warning(costs: Costs, present: datetime, state: StateStore) -> None:
    """Records that people were told, so that they are told once a month."""
    item = {"at": format_instant(present), "usd": costs.spent["month"]}
    state.put(*state_keys.reported_budget_key(costs.workload, costs.month), item)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
