"""How many rows each published day holds."""

from __future__ import annotations

from datetime import date

from include.lake.layout import table_name
from include.sql.text import literal, quoted
from include.workloads.declaration import Workload
from include.workloads.schema import PARTITION_COLUMN


def day_counts_query(workload: Workload, database: str, first: date, last: date) -> str:
    """event_date, event_type, row_count and key_count of each day that has rows, from first to last, both included."""
    day = quoted(PARTITION_COLUMN[0])
    parts = [
        f"""\
select {day}, {literal(name)} as event_type, count(*) as row_count, count(distinct "key") as key_count
from {quoted(database)}.{quoted(table_name(workload.name, name))}
where {day} between {literal(first.isoformat())} and {literal(last.isoformat())}
group by {day}"""
        for name in workload.events
    ]
    return "\nunion all\n".join(parts) + f"\norder by {day}, event_type"
