"""The base of everything that a workload's files declare."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A pydantic model that is immutable and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
