"""What resources cost: the price table of the product with ``charges.yaml``, and ``usage.yaml``, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from include.pipelines.cost.prices import PRICES_FILE, Price

FOLDER = Path(__file__).parent
# A factor: hours of a month, zones, an attribute of the resource (less a number), an assumed usage, or a number.
_FACTOR = re.compile(r"hours|zones|values\.[\w.]+( - \d+)?|(environment|workload)\.\w+|\d+(\.\d+)?")


class CostError(Exception):
    """The estimate cannot be made. The text names the file or resource, and says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Charge(_Strict):
    """What a resource is charged for, or why it is not.

    Attributes:
        what: What is charged.
        price: Name of the price; with ``by``, the value of that attribute is appended to it.
        quantity: Factors that are multiplied.
        by: Attribute that selects the price.
        when: Attributes and their values with which the charge applies.
        free: Why nothing is charged.
    """

    what: str
    price: str | None = None
    quantity: tuple[str, ...] = ()
    by: str | None = None
    when: dict[str, Any] = Field(default_factory=dict)
    free: str | None = Field(None, min_length=10)

    @model_validator(mode="after")
    def _priced_or_free(self) -> Self:
        if (self.price is None) == (self.free is None):
            raise ValueError("a charge has either a price or a reason why it is free")
        if wrong := [factor for factor in self.quantity if not _FACTOR.fullmatch(factor)]:
            raise ValueError(f"unknown factor {wrong[0]}")
        if self.price and not self.quantity:
            raise ValueError("a price needs a quantity")
        return self

    def attributes(self) -> set[str]:
        """The attributes of a resource that this charge reads."""
        read = {
            factor.split(" ")[0].removeprefix("values.") for factor in self.quantity if factor.startswith("values.")
        }
        return read | set(self.when) | ({self.by} if self.by else set())


class PriceTable(_Strict):
    """List prices, the charges of each priced resource type, and the types that are free, each with its reason.

    The prices are those by which the pipelines price jobs (``include.pipelines.cost.prices``).
    """

    region: str
    hours: float
    prices: dict[str, Price]
    charges: dict[str, tuple[Charge, ...]]
    free: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if both := set(self.charges) & set(self.free):
            raise ValueError(f"{min(both)} is both priced and free")
        if bare := [name for name, reason in self.free.items() if len(reason) < 10]:
            raise ValueError(f"free.{bare[0]} has no reason")
        for name, charges in self.charges.items():
            for charge in charges:
                if charge.price and charge.price not in self.prices and not charge.by:
                    raise ValueError(f"charges.{name} names the price {charge.price}, which is not in prices")
        return self

    def types(self) -> set[str]:
        """The resource types that the table knows."""
        return set(self.charges) | set(self.free)

    def attributes(self, kind: str) -> set[str]:
        """The attributes that the charges of a resource type read."""
        return {name for charge in self.charges.get(kind, ()) for name in charge.attributes()}


class Usage(_Strict):
    """Assumed usage of a month: of the whole environment, and of each workload in it."""

    environment: dict[str, float]
    workload: dict[str, float]


class UsageTable(_Strict):
    """The assumptions of each environment, and what each number means."""

    meaning: dict[str, dict[str, str]]
    environments: dict[str, Usage]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, usage in self.environments.items():
            for scope, amounts in (("environment", usage.environment), ("workload", usage.workload)):
                if different := set(amounts) ^ set(self.meaning[scope]):
                    raise ValueError(f"{name}.{scope}.{min(different)} must be in meaning and in every environment")
        return self


def read_prices(path: Path = FOLDER / "charges.yaml", prices: Path = PRICES_FILE) -> PriceTable:
    """Reads the charges, with the prices that the pipelines price jobs by.

    Raises:
        CostError: A file is wrong.
    """
    known = yaml.safe_load(prices.read_text())
    return _read(PriceTable, path, {name: known[name] for name in ("region", "hours", "prices")})


def read_usage(path: Path = FOLDER / "usage.yaml") -> UsageTable:
    """Reads the usage table.

    Raises:
        CostError: It is wrong.
    """
    return _read(UsageTable, path)


def _read[Table: BaseModel](table: type[Table], path: Path, beside: Mapping[str, Any] | None = None) -> Table:
    try:
        return table.model_validate({**(beside or {}), **yaml.safe_load(path.read_text())})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CostError(f"{path.name}: {place + ': ' if place else ''}{first['msg']}. Correct the file.") from None
