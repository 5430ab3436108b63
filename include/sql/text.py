"""Identifiers, literals and the canonical text of a value in Trino's SQL."""

from __future__ import annotations

from datetime import UTC, datetime

CANONICAL_SEPARATOR = ","


def quoted(name: str) -> str:
    """An identifier, quoted: a field may have the name of a keyword."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A varchar literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(instant: datetime) -> str:
    """A timestamp(3) literal in UTC. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant: give it a time zone")
    return f"timestamp '{instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ', timespec='milliseconds')}'"


def canonical_text(column: str, athena_type: str) -> str:
    """SQL for the text of a value that is the same in every engine and differs for different values; null is the empty text.

    A double is written as two whole numbers, its floor and the rest in units of 2^-52, because engines print doubles
    differently while floor, subtraction and multiplication by a power of two are the same everywhere; differences below 2^-52
    are not told apart. It needs absolute values below 9.2e18, which ``include.workloads.fields`` and the transform see to.
    """
    name = quoted(column)
    if athena_type == "string":
        text = f"""'"' || replace({name}, '"', '""') || '"'"""
    elif athena_type == "double":
        whole = f"cast(cast(floor({name}) as bigint) as varchar)"
        rest = f"cast(cast(floor(({name} - floor({name})) * 4503599627370496E0) as bigint) as varchar)"
        text = f"{whole} || '+' || {rest}"
    elif athena_type == "timestamp":
        text = f"date_format({name}, '%Y-%m-%d %H:%i:%s.%f')"
    else:
        text = f"cast({name} as varchar)"
    return f"coalesce({text}, '')"


def row_digest(columns: list[tuple[str, str]]) -> str:
    """SQL for 60 bits of the sha256 of a row's canonical text, as decimal(38,0). Their sum does not depend on the order of
    rows.
    """
    text = f" || '{CANONICAL_SEPARATOR}' || ".join(canonical_text(name, kind) for name, kind in columns)
    return f"cast(from_base(substr(to_hex(sha256(to_utf8({text}))), 1, 15), 16) as decimal(38, 0))"
