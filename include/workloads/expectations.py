"""The format of expectations.yaml: what the audit expects of a day of each event type, and of the reference tables."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.workloads.comparison import ComparisonTuning
from include.workloads.strict import StrictModel

Severity = Literal["critical", "warning"]


class RowBounds(StrictModel):
    """How many rows a day may have; both bounds are inclusive."""

    min: int = Field(1, ge=0)
    max: int | None = Field(None, ge=0)
    severity: Severity = "critical"

    @model_validator(mode="after")
    def _ordered(self) -> RowBounds:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class ExpectationSpec(BaseModel):
    """One Great Expectations expectation: its type, its severity in Nightjar, and, as further keys, its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(pattern=r"^expect_[a-z_]+$", description="name of a Great Expectations expectation")
    severity: Severity

    @model_validator(mode="after")
    def _possible(self) -> ExpectationSpec:
        mostly = self.arguments.get("mostly", 1)
        if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
            share = f"; {mostly} % is {mostly / 100:g}" if isinstance(mostly, int | float) and 1 < mostly <= 100 else ""
            raise ValueError(f"mostly is a share from 0 to 1, not {mostly!r}{share}")
        low, high = self.arguments.get("min_value"), self.arguments.get("max_value")
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            raise ValueError(f"min_value {low} is above max_value {high}: no value could meet it")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the expectation's class."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def columns(self) -> list[str]:
        """The columns that the arguments name."""
        named = [self.arguments[key] for key in ("column", "column_A", "column_B") if key in self.arguments]
        return named + [column for key in ("column_list", "column_set") for column in self.arguments.get(key, ())]


class SuiteSpec(StrictModel):
    """What is expected of one day of one event type."""

    rows: RowBounds = RowBounds()
    unique: tuple[str, ...] = Field(
        ("key", "known_at", "recorded_at"),
        min_length=1,
        description="columns whose combination identifies a version of a row",
    )
    quarantine: float = Field(
        ge=0, le=1, description="largest share of the rows read that may be quarantined (critical)"
    )
    conflicts: float = Field(
        0.01,
        ge=0,
        le=1,
        description="largest share of rows that may repeat the columns of `unique` with other values; one always may",
    )
    expectations: tuple[ExpectationSpec, ...] = ()


class TableSuiteSpec(StrictModel):
    """What is expected of the versions of a reference table's rows."""

    rows: int = Field(1, ge=0, description="fewest versions that may be joined (critical)")
    quarantine: float = Field(
        0.02, ge=0, le=1, description="largest share of the versions read that may be quarantined (critical)"
    )


class SharedSpec(StrictModel):
    """The keys of the file that belong to no event type."""

    tables: dict[str, TableSuiteSpec] = Field(default_factory=dict, description="by reference table")
    comparison: tuple[ComparisonTuning, ...] = Field((), description="where the default limits do not fit")


SHARED_KEYS = tuple(SharedSpec.model_fields)
