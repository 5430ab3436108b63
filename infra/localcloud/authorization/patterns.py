"""Wildcards and variables in the elements of a policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

# Returns the value of a policy variable, or None if the request has none.
Lookup = Callable[[str], str | None]
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*": r"\*", "?": r"\?", "$": r"\$"}
_ARN_PARTS = 6


def _glob(pattern: str, anything: str = ".") -> str:
    """A regular expression for ``*`` and ``?``."""
    return "".join(
        f"{anything}*" if character == "*" else anything if character == "?" else re.escape(character)
        for character in pattern
    )


def _resource(pattern: str) -> str:
    """A regular expression for a resource pattern: a wildcard before the last part of an ARN spans no colon."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        # AWS refuses a policy with such an ARN.
        return r"(?!)" if parts[0] == "arn" else _glob(pattern)
    return ":".join([*(_glob(part, "[^:]") for part in parts[:-1]), _glob(parts[-1])])


@lru_cache(maxsize=4096)
def compiled(kind: str, *patterns: str) -> re.Pattern[str]:
    """Compiles patterns into one regular expression.

    Args:
        kind: ``text``; ``caseless``, as actions are; ``resource`` or ``arn``, in which wildcards keep to their part.
        *patterns: The texts, with wildcards and without variables.
    """
    source = "|".join(_resource(pattern) if kind in ("resource", "arn") else _glob(pattern) for pattern in patterns)
    return re.compile(source, re.DOTALL | (re.IGNORECASE if kind == "caseless" else 0))


def expand(pattern: str, lookup: Lookup) -> re.Pattern[str] | None:
    """A regular expression of a pattern whose variables are replaced by the request's values.

    Returns:
        None if a variable has no value and no default: the pattern then matches nothing.
    """
    source, position = [], 0
    for match in _VARIABLE.finditer(pattern):
        source.append(_glob(pattern[position : match.start()]))
        position = match.end()
        name, default = match[1], match[2]
        if name in _ESCAPES:
            source.append(_ESCAPES[name])
            continue
        value = lookup(name)
        value = default if value is None else value
        if value is None:
            return None
        source.append(re.escape(value))
    source.append(_glob(pattern[position:]))
    return re.compile("".join(source), re.DOTALL)


class Patterns:
    """The values of one element of a statement, such as Action or Resource.

    Args:
        values: The patterns.
        kind: As in :func:`compiled`.
        variables: Whether ``${…}`` is a variable; it is text in policies before version 2012-10-17.
    """

    def __init__(self, values: Iterable[str], kind: str, *, variables: bool = True) -> None:
        self.values = tuple(values)
        self._with_variables = [value for value in self.values if variables and "${" in value]
        fixed = [value for value in self.values if value not in self._with_variables]
        self._everything = "*" in fixed
        self._fixed = compiled(kind, *fixed) if fixed else None

    def matches(self, value: str, lookup: Lookup) -> bool:
        """Whether any of the patterns matches the value."""
        if self._everything or (self._fixed and self._fixed.fullmatch(value)):
            return True
        if not self._with_variables:
            return False
        expanded = (expand(pattern, lookup) for pattern in self._with_variables)
        return any(pattern is not None and pattern.fullmatch(value) for pattern in expanded)
