"""Makes DuckDB print times and intervals as Athena does, before Python reads them.

Python has no years before 1 and after 9999, reads a TIMESTAMP WITH TIME ZONE only with pytz, and knows no nanoseconds.
"""

from __future__ import annotations

from infra.localcloud.athena.times import DAY_SECOND, interval_type, time_type
from infra.localcloud.athena.translator.casts import time_text
from infra.localcloud.athena.translator.coercion import convert_time
from infra.localcloud.athena.types import quoted_name, split_top, struct_fields, struct_of


def printable(query: str, columns: list[tuple[str, str]]) -> str:
    """Wraps a query so that its times and intervals are text, also inside arrays, maps and rows.

    Args:
        query: The DuckDB text.
        columns: Its columns: name and DuckDB type.

    Returns:
        The DuckDB text; the query itself if it has no such column.
    """
    names = [f"c{index}" for index in range(len(columns))]
    written = [text_of_times(name, found, digits=3) for name, (_, found) in zip(names, columns, strict=True)]
    if written == names:
        return query
    return f"SELECT {', '.join(written)} FROM ({query}) AS printed({', '.join(names)})"


def without_times(duck: str) -> str:
    """Returns a DuckDB type with text in place of times and intervals."""
    if time_type(duck) is not None or interval_type(duck):
        return "VARCHAR"
    if duck.endswith("[]"):
        return f"{without_times(duck[:-2])}[]"
    if duck.startswith("MAP("):
        return f"MAP({', '.join(map(without_times, split_top(duck[4:-1])))})"
    if duck.startswith("STRUCT("):
        return struct_of([(name, without_times(of)) for name, of in struct_fields(duck)])
    return duck


def text_of_times(value: str, duck: str, depth: int = 0, *, digits: int | None = None) -> str:
    """Prints the times and intervals in a value.

    Args:
        value: The DuckDB text of the value.
        duck: Its DuckDB type.
        depth: How many arrays and maps are around it.
        digits: The digits of a second; None for as many as the type has.
    """
    time = time_type(duck)
    if time is not None:
        shown = time if digits is None else time.with_precision(digits)
        return time_text(convert_time(value, time, shown), shown)
    if name := interval_type(duck):
        return f"trino_{'seconds' if name == DAY_SECOND else 'months'}_text({value}['{name}'])"
    item = f"nj_p{depth}"
    if duck.endswith("[]"):
        inner = text_of_times(item, duck[:-2], depth + 1, digits=digits)
        return value if inner == item else f"list_transform({value}, lambda {item}: {inner})"
    if duck.startswith("MAP("):
        places = f"{item}.key", f"{item}.value"
        key, entry = (
            text_of_times(place, of, depth + 1, digits=digits)
            for place, of in zip(places, split_top(duck[4:-1]), strict=True)
        )
        if (key, entry) == places:
            return value
        made = f"{{'key': {key}, 'value': {entry}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: {made}))"
    return _row_text(value, duck, depth, digits) if duck.startswith("STRUCT(") else value


def _row_text(value: str, duck: str, depth: int, digits: int | None) -> str:
    fields = struct_fields(duck)
    places = [f"struct_extract_at({value}, {index})" for index in range(1, len(fields) + 1)]
    parts = [text_of_times(place, of, depth, digits=digits) for place, (_, of) in zip(places, fields, strict=True)]
    if parts == places:
        return value
    named = [
        part if name is None else f"{quoted_name(name)} := {part}"
        for part, (name, _) in zip(parts, fields, strict=True)
    ]
    maker = "row" if fields[0][0] is None else "struct_pack"
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {maker}({', '.join(named)}) END"
