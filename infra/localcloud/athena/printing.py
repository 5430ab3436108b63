"""Makes DuckDB print times and intervals as Athena does, before Python reads them.

Python has no years before 1 and after 9999, reads a TIMESTAMP WITH TIME ZONE only with pytz, and knows no nanoseconds.
"""

from __future__ import annotations

from infra.localcloud.athena.translator.casts import time_text
from infra.localcloud.athena.translator.coercion import convert_time
from infra.localcloud.athena.translator.times import DAY_SECOND, interval_type, time_type
from infra.localcloud.athena.translator.types import quoted_name, split_top, struct_fields


def printable(query: str, columns: list[tuple[str, str]]) -> str:
    """Wraps a query so that its times and intervals are text, also inside arrays, maps and rows.

    Args:
        query: The DuckDB text.
        columns: Its columns: name and DuckDB type.

    Returns:
        The DuckDB text; the query itself if it has no such column.
    """
    names = [f"c{index}" for index in range(len(columns))]
    written = [_text(name, found, 0) for name, (_, found) in zip(names, columns, strict=True)]
    if written == names:
        return query
    return f"SELECT {', '.join(written)} FROM ({query}) AS printed({', '.join(names)})"


def _text(value: str, duck: str, depth: int) -> str:
    time = time_type(duck)
    if time is not None:
        # Athena reports every timestamp with three digits of a second.
        return time_text(convert_time(value, time, time.with_precision(3)), time.with_precision(3))
    if name := interval_type(duck):
        return f"trino_{'seconds' if name == DAY_SECOND else 'months'}_text({value}['{name}'])"
    item = f"nj_p{depth}"
    if duck.endswith("[]"):
        inner = _text(item, duck[:-2], depth + 1)
        return value if inner == item else f"list_transform({value}, lambda {item}: {inner})"
    if duck.startswith("MAP("):
        key, entry = split_top(duck[4:-1])
        parts = _text(f"{item}.key", key, depth + 1), _text(f"{item}.value", entry, depth + 1)
        if parts == (f"{item}.key", f"{item}.value"):
            return value
        made = f"{{'key': {parts[0]}, 'value': {parts[1]}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: {made}))"
    return _row_text(value, duck, depth) if duck.startswith("STRUCT(") else value


def _row_text(value: str, duck: str, depth: int) -> str:
    fields = struct_fields(duck)
    places = [f"struct_extract_at({value}, {index})" for index in range(1, len(fields) + 1)]
    parts = [_text(place, of, depth) for place, (_, of) in zip(places, fields, strict=True)]
    if parts == places:
        return value
    named = [part if name is None else f"{quoted_name(name)} := {part}" for part, (name, _) in zip(parts, fields, strict=True)]
    maker = "row" if fields[0][0] is None else "struct_pack"
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {maker}({', '.join(named)}) END"
