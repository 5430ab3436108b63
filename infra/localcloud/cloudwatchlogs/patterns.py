"""Filter patterns of unstructured log events: terms that are required, alternative or excluded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from moto.logs.exceptions import InvalidParameterException

_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|\S+)')
_PLAIN = re.compile(r"\w+")
_REFUSED = {"{": "JSON fields", "[": "space-delimited fields", "%": "regular expressions"}


@dataclass(frozen=True)
class FilterPattern:
    """A pattern of terms; a term is found anywhere in the message, in this case.

    Attributes:
        required: All of these are in a message that matches.
        alternatives: At least one of these is, unless there are required or excluded terms, which go first.
        excluded: None of these is.
    """

    required: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @staticmethod
    @cache
    def of(text: str | None) -> FilterPattern:
        """Reads a pattern.

        Raises:
            NotImplementedError: It selects by JSON fields, columns or a regular expression.
            InvalidParameterException: A term has other characters than letters, digits and the underscore, and is not
                in double quotes.
        """
        stripped = (text or "").strip()
        if stripped[:1] in _REFUSED:
            raise NotImplementedError(f"filter patterns of {_REFUSED[stripped[0]]} are not evaluated; use terms")
        terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
        for sign, term in _TERM.findall(stripped):
            terms[sign].append(_unquoted(term))
        return FilterPattern(tuple(terms[""]), tuple(terms["?"]), tuple(terms["-"]))

    def matches(self, message: str) -> bool:
        """Whether a message matches."""
        if any(term in message for term in self.excluded) or not all(term in message for term in self.required):
            return False
        if self.required or self.excluded or not self.alternatives:
            return True
        return any(term in message for term in self.alternatives)


def _unquoted(term: str) -> str:
    if term.startswith('"') and term.endswith('"') and len(term) > 1:
        return re.sub(r"\\(.)", r"\1", term[1:-1])
    if not _PLAIN.fullmatch(term):
        raise InvalidParameterException(f"Invalid character(s) in term '{term}'")
    return term
