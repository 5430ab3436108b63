"""Trino's text functions that DuckDB 1.5.5 computes differently, as a rule outside ASCII or for empty text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.functions.python import PythonFunction

_MAX_INT = 2**31 - 1
_SOUNDEX = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230120022455012623010202", strict=True))


def wrong_argument(reason: str) -> QueryError:
    """Makes the error of a function whose argument is wrong."""
    return QueryError(f"INVALID_FUNCTION_ARGUMENT: {reason}")


def _fail(message: str) -> Any:
    raise QueryError(message)


def _replace(text: str, search: str, replacement: str) -> str:
    # Python, as Trino, puts the replacement around every code point if the search text is empty.
    return text.replace(search, replacement)


def _upper(text: str) -> str:
    # 'ß' has no simple mapping; all other code points are in capitals what DuckDB and Python make of them alike.
    return "ß".join(_simple_upper(part) for part in text.split("ß"))


def _simple_upper(text: str) -> str:
    return "".join(letter.upper() if len(letter.upper()) == 1 else _one_letter(letter) for letter in text)


def _one_letter(letter: str) -> str:
    """A letter whose capital is more than one letter stays, or has a title case of one letter."""
    return letter.title() if len(letter.title()) == 1 else letter


def _pad(text: str, size: int, padding: str, *, left: bool) -> str:
    if not 0 <= size <= _MAX_INT:
        raise wrong_argument(f"Target length must be in the range [0..{_MAX_INT}]")
    if not padding:
        raise wrong_argument("Padding string must not be empty")
    missing = size - len(text)
    if missing <= 0:
        return text[:size]
    filled = (padding * (missing // len(padding) + 1))[:missing]
    return filled + text if left else text + filled


def _lpad(text: str, size: int, padding: str) -> str:
    return _pad(text, size, padding, left=True)


def _rpad(text: str, size: int, padding: str) -> str:
    return _pad(text, size, padding, left=False)


def _split(text: str, delimiter: str, limit: int) -> list[str]:
    if limit <= 0:
        raise wrong_argument("Limit must be positive")
    if limit > _MAX_INT:
        raise wrong_argument("Limit is too large")
    if not delimiter:
        raise wrong_argument("The delimiter may not be the empty string")
    return text.split(delimiter, limit - 1)


def _split_part(text: str, delimiter: str, index: int) -> str | None:
    if index <= 0:
        raise wrong_argument("Index must be greater than zero")
    parts = text.split(delimiter) if delimiter else list(text)
    return parts[index - 1] if index <= len(parts) else None


def _entries(text: str, entry: str, pair: str) -> list[tuple[str, str]]:
    if not entry:
        raise wrong_argument("entryDelimiter is empty")
    if not pair:
        raise wrong_argument("keyValueDelimiter is empty")
    if entry == pair:
        raise wrong_argument("entryDelimiter and keyValueDelimiter must not be the same")
    found = []
    written = text.split(entry)
    if not written[-1]:
        written.pop()
    for part in written:
        pieces = part.split(pair)
        if len(pieces) != 2:
            raise wrong_argument(f"Key-value delimiter must appear exactly once in each entry. Bad input: '{part}'")
        found.append((pieces[0], pieces[1]))
    return found


def _split_to_map(text: str, entry: str, pair: str) -> list[tuple[str, str]]:
    found = _entries(text, entry, pair)
    seen: set[str] = set()
    for key, _ in found:
        if key in seen:
            raise wrong_argument(f"Duplicate keys ({key}) are not allowed")
        seen.add(key)
    return found


def _split_to_multimap(text: str, entry: str, pair: str) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for key, value in _entries(text, entry, pair):
        found.setdefault(key, []).append(value)
    return list(found.items())


def _strpos(text: str, part: str, instance: int) -> int:
    if instance == 0:
        raise wrong_argument("'instance' must be a positive or negative number.")
    if not part:
        return 1
    index = -1 if instance > 0 else len(text)
    for _ in range(abs(instance)):
        if instance > 0:
            index = text.find(part, index + 1)
        else:
            index = text.rfind(part, 0, index - 1 + len(part)) if index > 0 else -1
        if index < 0:
            return 0
    return index + 1


def _translate(text: str, from_: str, to: str) -> str:
    table: dict[int, str] = {}
    for index, letter in enumerate(from_):
        table.setdefault(ord(letter), to[index] if index < len(to) else "")
    return text.translate(table)


def _chr(number: int) -> str:
    if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise wrong_argument(f"Not a valid Unicode code point: {number}")
    return chr(number)


def _codepoint(text: str) -> int:
    if len(text) != 1:
        raise wrong_argument("Input string must be a single character string")
    return ord(text)


def _normalize(text: str, form: str) -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def _soundex_digit(letter: str) -> str:
    if letter not in _SOUNDEX:
        raise wrong_argument(f"The character is not mapped: {letter} (index={ord(letter)})")
    return _SOUNDEX[letter]


def _soundex(text: str) -> str:
    letters = "".join(letter for letter in text if letter.isalpha()).upper()
    if not letters:
        return ""
    code, last = letters[0], _soundex_digit(letters[0])
    for letter in letters[1:]:
        if len(code) == 4:
            break
        if letter in "HW":
            continue
        digit = _soundex_digit(letter)
        if digit not in ("0", last):
            code += digit
        last = digit
    return code.ljust(4, "0")


def _levenshtein(left: str, right: str) -> int:
    if len(left) < len(right):
        left, right = right, left
    if not right:
        return len(left)
    if len(left) * (len(right) - 1) > 1_000_000:
        raise wrong_argument("The combined inputs for Levenshtein distance are too large")
    distances = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        corner, distances[0] = distances[0], row
        for column, other in enumerate(right, 1):
            cheapest = corner if letter == other else 1 + min(corner, distances[column], distances[column - 1])
            corner, distances[column] = distances[column], cheapest
    return distances[-1]


def _hamming(left: str, right: str) -> int:
    if len(left) != len(right):
        raise wrong_argument("The input strings to hamming_distance function must have the same length")
    return sum(one != other for one, other in zip(left, right, strict=True))


def _luhn_check(text: str) -> bool:
    if not text:
        return False
    total = 0
    for index, letter in enumerate(reversed(text)):
        if not "0" <= letter <= "9":
            raise wrong_argument("Input contains non-digit character")
        digit = int(letter) * (1 + index % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _function(name: str, call: Callable[..., Any], parameters: str, returns: str) -> PythonFunction:
    kinds = {"v": "VARCHAR", "n": "BIGINT"}
    return PythonFunction(name, call, tuple(kinds[letter] for letter in parameters), returns)


FUNCTIONS = (
    _function("py_fail_varchar", _fail, "v", "VARCHAR"),
    _function("py_fail_bigint", _fail, "v", "BIGINT"),
    _function("py_fail_boolean", _fail, "v", "BOOLEAN"),
    _function("py_replace", _replace, "vvv", "VARCHAR"),
    _function("py_upper", _upper, "v", "VARCHAR"),
    _function("py_reverse", lambda text: text[::-1], "v", "VARCHAR"),
    _function("py_lpad", _lpad, "vnv", "VARCHAR"),
    _function("py_rpad", _rpad, "vnv", "VARCHAR"),
    _function("py_split", _split, "vvn", "VARCHAR[]"),
    _function("py_split_part", _split_part, "vvn", "VARCHAR"),
    _function("py_split_to_map", _split_to_map, "vvv", "MAP(VARCHAR, VARCHAR)"),
    _function("py_split_to_multimap", _split_to_multimap, "vvv", "MAP(VARCHAR, VARCHAR[])"),
    _function("py_strpos", _strpos, "vvn", "BIGINT"),
    _function("py_translate", _translate, "vvv", "VARCHAR"),
    _function("py_chr", _chr, "n", "VARCHAR"),
    _function("py_codepoint", _codepoint, "v", "INTEGER"),
    _function("py_normalize", _normalize, "vv", "VARCHAR"),
    _function("py_soundex", _soundex, "v", "VARCHAR"),
    _function("py_levenshtein", _levenshtein, "vv", "BIGINT"),
    _function("py_hamming", _hamming, "vv", "BIGINT"),
    _function("py_luhn_check", _luhn_check, "v", "BOOLEAN"),
)
