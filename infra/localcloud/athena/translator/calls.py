"""A function call during its translation, and the entries of the function tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.comparisons import comparable
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import kind, trino_type

# The last argument count of a function that takes any number.
MANY = 99


@dataclass
class FunctionCall:
    """A call of a function.

    Attributes:
        name: The function's name in small letters.
        args: The translated arguments.
        scope: The scope of the call.
        distinct: Whether an aggregate's argument has DISTINCT.
        order: The ORDER BY of an aggregate's argument as DuckDB text; may be empty.
    """

    name: str
    args: list[exp.Expr]
    scope: Scope
    distinct: bool = False
    order: str = ""

    def __getitem__(self, index: int) -> str:
        """Returns an argument's DuckDB text."""
        return bracketed(self.args[index])

    def all_args(self) -> str:
        """Returns the DuckDB text of all arguments with commas between them."""
        return ", ".join(map(bracketed, self.args))

    def type(self, index: int) -> str | None:
        """Returns an argument's DuckDB type; None if it is not known."""
        return self.scope.type_of(self.args[index])

    def known_type(self, index: int) -> str:
        """Returns an argument's DuckDB type.

        Raises:
            UnsupportedError: The type is not known: the argument is a lambda's parameter, or has an unknown name.
        """
        found = self.type(index)
        if found is None:
            raise UnsupportedError(
                f"{self.name}(…)",
                f"The type of its argument {bracketed(self.args[index])} is not known here, or a name in it is wrong.",
            )
        return found

    def is_array(self, index: int) -> bool:
        """Whether the argument is known to be an array."""
        return (self.type(index) or "").endswith("[]")

    def is_binary(self, index: int) -> bool:
        """Whether the argument is known to be binary."""
        return self.type(index) == "BLOB"

    def is_map(self, index: int) -> bool:
        """Whether the argument is known to be a map."""
        return (self.type(index) or "").startswith("MAP(")

    def require(self, *kinds: str) -> None:
        """Checks the kinds of the arguments; ``any`` accepts every kind, and the last one repeats.

        Raises:
            QueryError: An argument is of another kind; Trino fails too.
        """
        for index in range(len(self.args)):
            expected = kinds[min(index, len(kinds) - 1)]
            found = self.type(index)
            if expected != "any" and found is not None and kind(found) not in (expected, "null"):
                raise QueryError(
                    f"FUNCTION_NOT_FOUND: Unexpected parameters for function {self.name}: "
                    f"argument {index + 1} is {trino_type(found)}, not {expected}"
                )

    def require_one_kind(self) -> None:
        """Checks that all arguments are of one kind: Trino does not turn numbers into text.

        Raises:
            QueryError: They are not.
        """
        for index in range(1, len(self.args)):
            comparable(self.type(0), self.type(index), self.name)

    def literal(self, index: int) -> str:
        """Returns the value of an argument that must be a literal.

        Raises:
            UnsupportedError: It is no literal.
        """
        argument = self.args[index]
        if isinstance(argument, exp.Neg) and isinstance(argument.this, exp.Literal):
            return "-" + argument.this.name
        if not isinstance(argument, exp.Literal):
            raise UnsupportedError(f"{self.name}(…)", f"Its argument {index + 1} must be a literal here.")
        return str(argument.this)

    def fill(self, template: str) -> Fragment:
        """Fills ``{0}``, ``{1}`` … of a template with the arguments."""
        return fragment(template, *self.args)


# In an aggregate's text: where its FILTER and OVER belong, and a condition of its own.
SUFFIX = "/*suffix*/"
_SUFFIX = re.compile(r"/\*suffix(?: (.*?))?\*/", re.DOTALL)


def suffix(condition: str) -> str:
    """Marks where an aggregate's FILTER and OVER belong; the aggregate ignores rows that fail the condition."""
    return f"/*suffix {condition}*/"


def suffixed(written: str, condition: str, over: str) -> str:
    """Adds FILTER and OVER to an aggregate, where it marks their places or at its end."""
    if not _SUFFIX.search(written):
        written += SUFFIX

    def place(matched: re.Match[str]) -> str:
        both = " AND ".join(f"({part})" for part in (matched[1], condition) if part)
        return (f" FILTER (WHERE {both})" if both else "") + over

    return _SUFFIX.sub(place, written)


Handler = Callable[[FunctionCall], exp.Expr]


@dataclass(frozen=True)
class Translation:
    """An entry of a function table.

    Attributes:
        min_args: The smallest number of arguments.
        max_args: The largest number of arguments.
        handler: Translates a call.
    """

    min_args: int
    max_args: int
    handler: Handler


def template(written: str, *kinds: str) -> Translation:
    """An entry that fills a template; ``kinds`` are those of the arguments."""

    def handler(call: FunctionCall) -> exp.Expr:
        call.require(*kinds)
        return call.fill(written)

    return Translation(len(kinds), len(kinds), handler)


def translation(min_args: int, max_args: int | None = None) -> Callable[[Handler], Translation]:
    """Decorates a handler, for functions that need more than a template."""
    return lambda handler: Translation(min_args, min_args if max_args is None else max_args, handler)
