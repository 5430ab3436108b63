"""Multiplies the resources of a plan by their prices and the assumed usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.cost.resources import Group, require_known
from infra.cost.tables import Charge, CostError, PriceTable, Usage


@dataclass(frozen=True)
class Line:
    """One charge of a group of resources, in US dollars a month.

    Attributes:
        workload_usd: The part of ``usd`` that exists because of the workloads.
        basis: Whether the price was read on a page, or is known from memory.
    """

    module: str
    type: str
    what: str
    workload: str | None
    count: int
    quantity: float
    unit: str
    usd: float
    workload_usd: float
    basis: str


@dataclass(frozen=True)
class Estimate:
    """The lines of an environment."""

    environment: str
    lines: tuple[Line, ...]
    workloads: int
    resources: int

    @property
    def total(self) -> float:
        """US dollars a month."""
        return sum(line.usd for line in self.lines)

    @property
    def one_more_workload(self) -> float:
        """What each workload adds, US dollars a month: its own resources, and what it uses of the shared ones."""
        return sum(line.workload_usd for line in self.lines) / max(self.workloads, 1)

    def modules(self) -> dict[str, float]:
        """US dollars a month by module, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.module] = sums.get(line.module, 0) + line.usd
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


class Estimator:
    """Estimates one environment.

    Args:
        prices: The price table.
        usage: The assumptions of the environment.
        workloads: How many workloads it has.
    """

    def __init__(self, prices: PriceTable, usage: Usage, workloads: int) -> None:
        self._prices, self._usage, self._workloads = prices, usage, workloads

    def estimate(self, environment: str, groups: Sequence[Group]) -> Estimate:
        """Makes the lines, those of a module together and the dearest first.

        Raises:
            CostError: A type, a price or an attribute is missing.
        """
        require_known({group.type for group in groups}, self._prices, f"the plan of {environment}")
        lines = [line for group in groups for line in self._lines(group, groups)]
        lines.sort(key=lambda line: (line.module, -line.usd))
        return Estimate(environment, tuple(lines), self._workloads, sum(group.count for group in groups))

    def _lines(self, group: Group, groups: Sequence[Group]) -> list[Line]:
        charges = self._prices.charges.get(group.type)
        if charges is None:
            return []
        applying = [charge for charge in charges if _applies(charge, group)]
        if not applying:
            raise CostError(
                f"infra/cost/charges.yaml has no charge of {group.type} for {group.values}. Add one under charges, "
                "with a price, or with free and the reason."
            )
        return [self._line(charge, group, groups) for charge in applying if not charge.free]

    def _line(self, charge: Charge, group: Group, groups: Sequence[Group]) -> Line:
        name = f"{charge.price}.{group.values[charge.by]}" if charge.by else str(charge.price)
        price = self._prices.prices.get(name)
        if price is None:
            raise CostError(
                f"include/pipelines/cost/prices.yaml has no price {name}, which {group.type} needs. Add it there."
            )
        same = [other for other in groups if other.type == group.type and _applies(charge, other)]
        zones = {other.values["availability_zone"] for other in groups if "availability_zone" in other.values}
        quantity = float(group.count)
        for factor in charge.quantity:
            quantity *= len(zones) if factor == "zones" else self._factor(factor, group, same)
        usd = quantity * price.usd
        caused = group.workload is not None or any(factor.startswith("workload.") for factor in charge.quantity)
        return Line(
            module=group.module,
            type=group.type,
            what=charge.what,
            workload=group.workload,
            count=group.count,
            quantity=quantity,
            unit=price.unit,
            usd=usd,
            workload_usd=usd if caused else 0.0,
            basis=price.basis,
        )

    def _factor(self, factor: str, group: Group, same: Sequence[Group]) -> float:
        """The value of a factor. Usage is split evenly over the resources that share it."""
        if factor == "hours":
            return self._prices.hours
        scope, _, name = factor.partition(".")
        if scope == "values":
            name, _, less = name.partition(" - ")
            if group.values[name] is None:
                raise CostError(f"The plan does not know {name} of a {group.type}. Price it by usage instead.")
            return float(group.values[name]) - float(less or 0)
        if scope == "environment":
            return self._usage.environment[name] / sum(other.count for other in same)
        if scope == "workload":
            shared = sum(other.count for other in same if other.workload is None)
            owned = sum(other.count for other in same if other.workload is not None) / self._workloads
            users = 1 if group.workload else self._workloads
            return self._usage.workload[name] * users / (shared + owned)
        return float(factor)


def _applies(charge: Charge, group: Group) -> bool:
    return all(group.values.get(name) == value for name, value in charge.when.items())
