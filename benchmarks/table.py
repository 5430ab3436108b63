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
    """

    name: str
    value: float | None
    unit: str
    at_most: float | None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the value meets the target."""
        if self.value is None:
            return NOT_MEASURED
        if self.at_most is None:
            return NO_TARGET
        return MET if self.value <= self.at_most else MISSED

    def to_json(self) -> dict[str, Any]:
        """The row with its verdict."""
        return {**asdict(self), "verdict": self.verdict}


def table(rows: list[Row]) -> str:
    """The rows as text, each with its note below."""
    lines = [f"{'measured':<52}{'value':>12}  {'target':<14}verdict", "-" * 92]
    for row in rows:
        value = "—" if row.value is None else f"{row.value:.2f} {row.unit}".rstrip()
        target = "—" if row.at_most is None else f"≤ {row.at_most:g} {row.unit}".rstrip()
        lines.append(f"{row.name:<52}{value:>12}  {target:<14}{row.verdict}")
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)
