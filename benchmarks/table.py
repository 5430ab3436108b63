"""Measured values beside their targets: rows, and the table of all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MET, MISSED, NO_TARGET, NOT_MEASURED = "met", "MISSED", "no target", "not measured"


@dataclass(frozen=True)
class Row:
    """One value and its target.

    Attributes:
        value: None when nothing was measured; ``note`` then has the reason.
        at_most: The target; None when there is none.
        at_least: The target of a value that should be large.
    """

    name: str
    value: float | None
    unit: str
    at_most: float | None
    note: str = ""
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the value meets the target."""
        if self.value is None:
            return NOT_MEASURED
        if self.at_most is None and self.at_least is None:
            return NO_TARGET
        low = float("-inf") if self.at_least is None else self.at_least
        return MET if low <= self.value <= (float("inf") if self.at_most is None else self.at_most) else MISSED

    @property
    def target(self) -> str:
        """The target as text."""
        for sign, limit in (("≤", self.at_most), ("≥", self.at_least)):
            if limit is not None:
                return f"{sign} {limit:g} {self.unit}".rstrip()
        return "—"

    def to_json(self) -> dict[str, Any]:
        """The row with its verdict."""
        return {**asdict(self), "verdict": self.verdict}


def table(rows: list[Row]) -> str:
    """The rows as text, each with its note below."""
    lines = [f"{'measured':<52}{'value':>12}  {'target':<14}verdict", "-" * 92]
    for row in rows:
        value = "—" if row.value is None else f"{row.value:.2f} {row.unit}".rstrip()
        lines.append(f"{row.name:<52}{value:>12}  {row.target:<14}{row.verdict}")
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)
