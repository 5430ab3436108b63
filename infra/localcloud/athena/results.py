"""Values as Athena prints them, and the result file it leaves in S3."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .types import athena


@dataclass
class Result:
    """A finished statement's columns (name, DuckDB type) and rows of text; ``header`` is false for DDL."""

    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    header: bool = True
    update_count: int | None = None
    manifest: str | None = None

    def csv(self) -> bytes:
        """Every value quoted, null left empty and bare, as Athena writes ``<id>.csv``."""
        lines = [[name for name, _ in self.columns], *self.rows]
        return "".join(
            ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in line) + "\n" for line in lines
        ).encode()

    def text(self) -> bytes:
        """DDL's ``<id>.txt``: tabs between columns."""
        return "".join("\t".join(value or "" for value in row) + "\n" for row in self.rows).encode()

    def metadata(self) -> list[dict[str, Any]]:
        """ColumnInfo of GetQueryResults."""
        described = []
        for name, kind in self.columns:
            label, precision, scale = athena(kind) if self.header else ("string", 0, 0)
            described.append(
                {
                    "CatalogName": "hive",
                    "SchemaName": "",
                    "TableName": "",
                    "Name": name,
                    "Label": name,
                    "Type": label,
                    "Precision": precision,
                    "Scale": scale,
                    "Nullable": "UNKNOWN",
                    "CaseSensitive": label == "varchar",
                }
            )
        return described


def real(value: float) -> str:
    """Java's Double.toString: 1.0, 1.0E10, 1.0E-5, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits.digits))
    exponent = int(digits.exponent) + len(figures) - 1
    return f"{'-' if digits.sign else ''}{figures[0]}.{figures[1:] or '0'}E{exponent}"


def single(value: float) -> str:
    """Java's Float.toString of a REAL that DuckDB handed over widened: the shortest text that is that REAL."""
    import struct

    if math.isnan(value) or math.isinf(value):
        return real(value)
    for precision in range(1, 10):
        shorter = float(f"{value:.{precision}g}")
        if struct.pack("f", shorter) == struct.pack("f", value):
            return real(shorter)
    return real(value)


def written(value: Any, kind: str) -> str | None:
    """One value of a DuckDB type as Athena's text; None is null."""
    if value is None:
        return None
    if kind.endswith("[]"):
        return "[" + ", ".join(_inner(item, kind[:-2]) for item in value) + "]"
    if kind.startswith("MAP("):
        from .types import split_top

        key, item = split_top(kind[4:-1])
        return "{" + ", ".join(f"{_inner(k, key)}={_inner(v, item)}" for k, v in value.items()) + "}"
    if kind.startswith("STRUCT("):
        from .types import split_top

        kinds = dict(part.replace('"', "").split(" ", 1) for part in split_top(kind[7:-1]))
        return (
            "{" + ", ".join(f"{name}={_inner(item, kinds.get(name, 'VARCHAR'))}" for name, item in value.items()) + "}"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "FLOAT":
        return single(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
        return f"{text} UTC" if value.tzinfo else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray)):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value, default=str)


def _inner(value: Any, kind: str) -> str:
    text = written(value, kind)
    return "null" if text is None else text
