r"""Regular expressions in the syntax of Athena (Java's, as Joni reads it), for Python's ``regex`` and for RE2.

Joni's ``\d``, ``\w`` and ``\s`` are Unicode's, ``$`` also matches before a newline at the end, and ``.`` is everything
but ``\n``. RE2 (in DuckDB 1.5.5) takes ASCII only for the classes and ``$`` for the very end, so both get other text.
What is not surely equal is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

import regex

from infra.localcloud.athena.errors import QueryError, UnsupportedError

_CLASSES = {"d": r"\p{Nd}", "w": r"\p{L}\p{M}\p{Nd}\p{Pc}", "s": r"\t-\r\x85\p{Z}"}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_CODE = re.compile(r"\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|0([0-3]?[0-7]{1,2}))")
_PROPERTY = re.compile(r"\\([pP])\{(\^?)([A-Za-z]+)\}|\\([pP])([A-Z])")
_CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?")
_SCRIPTS = frozenset(
    {
        *("Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Bengali", "Thai", "Georgian"),
        *("Hangul", "Hiragana", "Katakana", "Han"),
    }
)
_POSIX = {"Alpha": "Alphabetic", "Upper": "Uppercase", "Lower": "Lowercase", "Digit": "Nd"}
_GROUP = re.compile(r"\(\?(?:<([A-Za-z][A-Za-z0-9]*)>|(<?[=!]|>|:)|([ims]*)(?:-([ims]+))?([:)]))")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})([?+]?)")
# The parts of a pattern whose meaning is the same in RE2, with the classes of Joni.
_RE2 = re.compile(
    r"""(?P<class>\\[dws])|(?P<set>\[\^?(?:[^\\\[\]&-]|-|\\[dws]|\\[^A-Za-z0-9])+\])|\(\?:|\((?!\?)|\)|\\[^A-Za-z0-9]
    |(?:[*+?]|\{\d{1,2}(?:,\d{0,2})?\})\??(?![+?*{])|\^|\.|(?P<end>\$\Z)|\||(?P<plain>[^\\\[\](){}*+?.^$|])""",
    re.VERBOSE | re.DOTALL,
)


def _refused(pattern: str, what: str) -> UnsupportedError:
    return UnsupportedError(f"the regular expression '{pattern}'", f"It contains {what}.")


class _Reader:
    """Reads a pattern from left to right and writes it for ``regex``."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.index = 0
        self.multiline = False

    def read(self) -> str:
        written, depth = [], 0
        while self.index < len(self.pattern):
            letter = self.pattern[self.index]
            if letter == "\\":
                written.append(self._escape())
            elif letter == "[":
                written.append(self._set())
            elif letter == "(":
                opened = self._open(first=self.index == 0)
                depth += not opened.endswith(")")
                written.append(opened)
            elif letter in "*+?{":
                written.append(self._quantifier())
            elif letter == "^" and self.multiline:
                self.index += 1
                # Python's ^ also matches after a newline at the very end; Joni's does not.
                written.append(r"(?:\A|(?<=\n)(?!\Z))")
            else:
                depth -= letter == ")"
                self.index += 1
                written.append(letter if letter in "().^$|" else regex.escape(letter))
        return "".join(written)

    def _quantifier(self) -> str:
        matched = _QUANTIFIER.match(self.pattern, self.index)
        if not matched:
            raise _refused(self.pattern, "a brace that is no quantifier")
        if matched[1] == "+" and matched[0].startswith("{"):
            raise _refused(self.pattern, "a possessive quantifier in braces")
        self.index = matched.end()
        return matched[0]

    def _open(self, *, first: bool) -> str:
        if self.pattern[self.index + 1 : self.index + 2] != "?":
            self.index += 1
            return "("
        matched = _GROUP.match(self.pattern, self.index)
        if not matched:
            raise _refused(self.pattern, f"the group {self.pattern[self.index : self.index + 4]}…")
        self.index = matched.end()
        if matched[5] is None:
            return matched[0]
        if "m" in (matched[3] or "") or "m" in (matched[4] or ""):
            if not first or matched[5] == ":":
                raise _refused(self.pattern, "(?m) elsewhere than at its begin")
            self.multiline = "m" in matched[3]
        if matched[5] == ")" and not first:
            raise _refused(self.pattern, "flags elsewhere than at its begin; write (?i:…)")
        return matched[0]

    def _code(self) -> str | None:
        """A letter that is written as a number or a control's letter."""
        if matched := _CODE.match(self.pattern, self.index):
            self.index = matched.end()
            digits = next(group for group in matched.groups() if group)
            number = int(digits, 8 if matched[4] else 16)
            if 0xD800 <= number <= 0xDFFF or number > 0x10FFFF:
                raise _refused(self.pattern, "a surrogate")
            return regex.escape(chr(number))
        letter = self.pattern[self.index + 1 : self.index + 2]
        if letter in _CONTROLS:
            self.index += 2
            return regex.escape(_CONTROLS[letter])
        if letter and not (letter.isascii() and letter.isalnum()):
            self.index += 2
            return regex.escape(letter)
        return None

    def _property(self) -> str | None:
        matched = _PROPERTY.match(self.pattern, self.index)
        if not matched:
            return None
        name = matched[3] or matched[5]
        known = _CATEGORY.fullmatch(name) or name in _SCRIPTS or name in _POSIX
        if not known:
            raise _refused(self.pattern, f"the property {name}")
        self.index = matched.end()
        negated = ((matched[1] or matched[4]) == "P") != bool(matched[2])
        return rf"\{'P' if negated else 'p'}{{{_POSIX.get(name, name)}}}"

    def _escape(self) -> str:
        letter = self.pattern[self.index + 1 : self.index + 2]
        if not letter:
            raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Invalid regular expression: {self.pattern}")
        if (written := self._code() or self._property()) is not None:
            return written
        start = self.index
        self.index += 2
        if letter.lower() in _CLASSES:
            return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
        if letter == "Q":
            end = self.pattern.find("\\E", start)
            quoted = self.pattern[start + 2 : end if end >= 0 else None]
            self.index = len(self.pattern) if end < 0 else end + 2
            return regex.escape(quoted)
        if letter in "bBA":
            return "\\" + letter
        if letter in "zZ":
            return r"\Z" if letter == "z" else r"(?=\n?\Z)"
        if letter in "123456789" and not self.pattern[start + 2 : start + 3].isdigit():
            return f"\\{letter}"
        if letter == "k" and (named := re.compile(r"<(\w+)>").match(self.pattern, self.index)):
            self.index = named.end()
            return f"(?P={named[1]})"
        raise _refused(self.pattern, f"\\{letter}")

    def _set(self) -> str:
        """A class in brackets; classes in classes and intersections are refused."""
        self.index += 1
        written = ["["]
        if self.pattern.startswith("^", self.index):
            written.append("^")
            self.index += 1
        if self.pattern.startswith("]", self.index):
            raise _refused(self.pattern, "an empty class")
        while self.index < len(self.pattern):
            letter = self.pattern[self.index]
            if letter == "]":
                self.index += 1
                return "".join(written) + "]"
            if letter == "[" or self.pattern.startswith("&&", self.index):
                raise _refused(self.pattern, "a class in a class or an intersection")
            written.append(self._set_escape() if letter == "\\" else self._set_letter(letter))
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: premature end of char-class: {self.pattern}")

    def _set_letter(self, letter: str) -> str:
        self.index += 1
        return letter if letter == "-" else regex.escape(letter, special_only=False)

    def _set_escape(self) -> str:
        if (written := self._code() or self._property()) is not None:
            return written
        letter = self.pattern[self.index + 1 : self.index + 2]
        if letter in _CLASSES:
            self.index += 2
            return _CLASSES[letter]
        raise _refused(self.pattern, f"\\{letter} in a class")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compiles a pattern for Python's ``regex``.

    Raises:
        QueryError: It is no regular expression.
        UnsupportedError: It could match otherwise than on Athena.
    """
    written = _Reader(pattern).read()
    try:
        return regex.compile(written, regex.VERSION0)
    except regex.error as error:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Invalid regular expression: {pattern}: {error.msg}") from None


@lru_cache(maxsize=1024)
def re2(pattern: str) -> str | None:
    """Writes a pattern for DuckDB's RE2, so that the same texts contain a match.

    Returns:
        None if the pattern has parts whose meaning may differ.
    """
    compiled(pattern)
    written, index = [], 0
    while index < len(pattern):
        matched = _RE2.match(pattern, index)
        if not matched or (matched["end"] and "|" in pattern):
            return None
        index = matched.end()
        part = matched[0]
        if matched["class"]:
            part = f"[{_CLASSES[part[1]].replace(chr(92) + 'x85', chr(92) + 'x{85}')}]"
        elif matched["set"]:
            part = re.sub(r"\\([dws])", lambda found: _CLASSES[found[1]].replace(r"\x85", r"\x{85}"), part)
        elif matched["end"]:
            part = r"\n?\z"
        written.append(part)
    return "".join(written)
