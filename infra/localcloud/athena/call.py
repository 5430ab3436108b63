"""One function call that is being translated, as the entries of the function tables see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from .errors import QueryFailed, Refused
from .raw import Raw, bracketed, raw
from .scope import Scope
from .types import kind


@dataclass
class Call:
    """``args`` are translated already. ``distinct`` and ``order`` (DuckDB text) belong to an aggregate's argument."""

    name: str
    args: list[exp.Expression]
    scope: Scope
    distinct: bool = False
    order: str = ""

    def __getitem__(self, index: int) -> str:
        return bracketed(self.args[index])

    def type(self, index: int) -> str | None:
        return self.scope.type_of(self.args[index])

    def known_type(self, index: int) -> str:
        """The argument's type; refuses where it cannot be told (inside a lambda)."""
        found = self.type(index)
        if found is None:
            raise Refused(
                f"{self.name}(…)",
                f"The type of its argument {bracketed(self.args[index])} is not known here, or a name in it is wrong.",
            )
        return found

    def want(self, *kinds: str) -> None:
        """Fails as Trino does when an argument is of another kind than named (``any`` goes); the last kind repeats."""
        for index in range(len(self.args)):
            expected = kinds[min(index, len(kinds) - 1)]
            found = self.type(index)
            if expected != "any" and found is not None and kind(found) not in (expected, "null"):
                raise QueryFailed(
                    f"FUNCTION_NOT_FOUND: Unexpected parameters for function {self.name}: "
                    f"argument {index + 1} is {found.lower()}, not {expected}"
                )

    def literal(self, index: int) -> str:
        """The value of an argument that must be written out as a literal."""
        argument = self.args[index]
        if isinstance(argument, exp.Neg) and isinstance(argument.this, exp.Literal):
            return "-" + argument.this.name
        if not isinstance(argument, exp.Literal):
            raise Refused(f"{self.name}(…)", f"Its argument {index + 1} must be a literal here.")
        return str(argument.this)

    def raw(self, template: str) -> Raw:
        return raw(template, *self.args)


Handler = Callable[[Call], exp.Expression]


@dataclass(frozen=True)
class Entry:
    """How a function is translated: its number of arguments, then what is written."""

    least: int
    most: int
    handler: Handler


def template(written: str, *kinds: str, least: int | None = None) -> Entry:
    """An entry that fills a template after checking the kinds of the arguments, one for each."""

    def handler(call: Call) -> exp.Expression:
        call.want(*kinds)
        return call.raw(written)

    return Entry(len(kinds) if least is None else least, len(kinds), handler)


def entry(least: int, most: int | None = None) -> Callable[[Handler], Entry]:
    """Decorator of a handler that needs more than a template."""
    return lambda handler: Entry(least, least if most is None else most, handler)
