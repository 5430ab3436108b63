"""The price table (``prices.yaml`` beside this file): dated list prices, and what AWS charges at least."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

PRICES_FILE = Path(__file__).with_name("prices.yaml")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is quicker


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Strict):
    """A list price. ``basis``: read on a page when it was noted, or known from memory only."""

    usd: float = Field(gt=0)
    unit: str
    source: str
    noted: date
    basis: Literal["page", "memory"]


class Rules(_Strict):
    """What AWS charges at least, and what a Glue worker counts as."""

    glue_minimum_seconds: int
    athena_minimum_bytes: int
    terabyte: int
    worker_dpus: dict[str, float]


class Prices(_Strict):
    """The table."""

    region: str
    hours: float
    """Hours of a month."""
    rules: Rules
    prices: dict[str, Price]

    def usd(self, name: str) -> float | None:
        """Returns a price; None if the table has none of this name."""
        price = self.prices.get(name)
        return price.usd if price else None

    def dated(self, names: Iterable[str]) -> date:
        """Returns when the oldest of some prices was noted."""
        return min(self.prices[name].noted for name in names)


def read_prices(path: Path = PRICES_FILE) -> Prices:
    """Reads a price table.

    Raises:
        ValidationError: It is wrong.
    """
    return Prices.model_validate(yaml.load(path.read_text(), Loader=_LOADER))


@cache
def prices() -> Prices:
    """Returns the price table of this build."""
    return read_prices()
