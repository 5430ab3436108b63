"""Grants that no run on a laptop can use, each with its reason: ``infra/policies/exceptions.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from infra.laptop.bootstrap.definitions import POLICIES
from infra.laptop.config import LaptopError
from infra.localcloud.authorization.usage import Grant

FILE = POLICIES / "exceptions.yaml"
Kind = Literal["service_makes_the_call", "not_on_the_laptop"]


class GrantException(BaseModel):
    """Why some grants of one statement are never used on a laptop.

    Attributes:
        role: The role's folder in ``infra/policies``.
        statement: The statement's ``Sid``.
        actions: The actions of the statement that the exception is for.
        type: ``service_makes_the_call``: AWS makes the call with the role's credentials, or in its name.
            ``not_on_the_laptop``: the part that calls exists on AWS only.
        by: The service that makes the call; for ``service_makes_the_call`` only.
        reason: What calls, and why.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    statement: str
    actions: tuple[str, ...] = Field(min_length=1)
    type: Kind
    by: str | None = None
    reason: Annotated[str, Field(min_length=10)]

    @model_validator(mode="after")
    def _by_belongs_to_its_type(self) -> GrantException:
        if (self.type == "service_makes_the_call") != (self.by is not None):
            raise ValueError("`by` names the service of a service_makes_the_call; no other type has it")
        return self

    def covers(self, role: str, grant: Grant) -> bool:
        """Whether the exception is for a grant of a role of this kind."""
        return (role, grant.statement) == (self.role, self.statement) and grant.action in self.actions


@dataclass(frozen=True)
class Explained:
    """An unused grant with the exception that is for it."""

    grant: Grant
    exception: GrantException


def load(text: str | None = None) -> tuple[GrantException, ...]:
    """Reads the exceptions.

    Args:
        text: The content; None for that of :data:`FILE`.

    Raises:
        LaptopError: The file is wrong; the text names the entry and the field.
    """
    content: Any = yaml.safe_load(FILE.read_text() if text is None else text)
    try:
        return TypeAdapter(tuple[GrantException, ...]).validate_python(content or ())
    except ValidationError as error:
        lines = [f"  {'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise LaptopError(f"{FILE} is wrong. Correct these entries (counted from 0):\n" + "\n".join(lines)) from None


def explain(
    role: str, unused: list[Grant], exceptions: tuple[GrantException, ...]
) -> tuple[list[Grant], list[Explained]]:
    """Separates the unused grants of a role into those without an exception and those with one."""
    left, explained = [], []
    for grant in unused:
        found = next((exception for exception in exceptions if exception.covers(role, grant)), None)
        if found:
            explained.append(Explained(grant, found))
        else:
            left.append(grant)
    return left, explained
