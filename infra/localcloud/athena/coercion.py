"""The types to which Trino converts a value without a cast, where INSERT needs them."""

from __future__ import annotations

import re

_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def can_coerce(own: str, wanted: str) -> bool:
    """Whether Trino converts a value of one DuckDB type to another without a cast, and without a loss of range."""
    if own == wanted or "NULL" in own:
        return True
    if own.endswith("[]") and wanted.endswith("[]"):
        return can_coerce(own[:-2], wanted[:-2])
    target = _DECIMAL.fullmatch(wanted)
    if own in _INTEGERS:
        if target:
            return int(target[1]) - int(target[2]) >= _INTEGERS[own]
        return wanted in ("FLOAT", "DOUBLE") or _INTEGERS.get(wanted, 0) > _INTEGERS[own]
    if source := _DECIMAL.fullmatch(own):
        if target:
            whole = int(target[1]) - int(target[2]) >= int(source[1]) - int(source[2])
            return whole and int(target[2]) >= int(source[2])
        return wanted in ("FLOAT", "DOUBLE")
    return (own, wanted) in {("FLOAT", "DOUBLE"), ("DATE", "TIMESTAMP"), ("TIMESTAMP_MS", "TIMESTAMP")}
