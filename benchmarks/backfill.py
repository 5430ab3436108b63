"""``make bench-backfill``: a year in chunks against one day after the other, on a stack that has processed no day yet.

    python -m benchmarks.backfill [--workload flights] [--days 365] [--chunk 31] [--sample 8]

All are backfills by the same DAG. Day by day, a year would take hours: a sample of its days is measured, half of it
before the year and half after it, and scaled. The year itself is measured whole. Its estimate is made from the past
runs that this stack then has: the sample's first half, and one chunk of as many days as the sample. The exit code is 1
when a target is missed, and 2 when nothing can be measured. What was measured is in ``bench-backfill.json`` in the run
folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from benchmarks import backfill_days
from benchmarks.table import MISSED, Row, table
from include.errors import NightjarError
from infra.laptop import backfill, stages
from infra.laptop.backfill import BackfillFailedError, BackfillOrder
from infra.laptop.config import LaptopConfig
from infra.laptop.history_source import HistorySource
from infra.laptop.progress import Reporter
from infra.laptop.stages import Connection

RATIO, ERROR = 5.0, 0.25


@dataclass(frozen=True)
class Measured:
    """One backfill.

    Attributes:
        seconds: From its trigger to its end.
        load: Load average of the machine when it began.
        jobs: Glue job runs that it started.
        report: Its report; None if there was nothing to do.
    """

    first: date
    last: date
    chunk: int
    seconds: float
    load: float
    jobs: int
    report: dict[str, Any] | None


def main() -> int:
    """Measures and prints the table; returns the exit code."""
    given = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        connection = stages.connect(config, Reporter(Console(stderr=True, highlight=False, soft_wrap=True)))
        first = HistorySource.open(given.workload, config.data).first
        days = [first + timedelta(days=offset) for offset in range(given.days)]
        backfill_days.require_none_processed(connection, given.workload, days)
        backfill_days.bring(connection, given.workload, days[-1])
    except (NightjarError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        measured = measure(connection, given.workload, days, given.chunk, given.sample)
    except NightjarError as error:
        print(f"\nThe measurement failed.\n{error}", file=sys.stderr)
        return 1
    rows = compare(**measured)
    print(table(rows))
    document = {
        "measured_at": datetime.now(UTC).isoformat(),
        "workload": given.workload,
        "processors": os.cpu_count(),
        "rows": [row.to_json() for row in rows],
        "backfills": [asdict(one) for part in measured.values() for one in part],
    }
    (config.state / "bench-backfill.json").write_text(json.dumps(document, indent=2, default=str) + "\n")
    return int(any(row.verdict == MISSED for row in rows))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=__doc__)
    found.add_argument("--workload", default="flights")
    found.add_argument("--days", type=int, default=365, help="days of the range, from the first of the history")
    found.add_argument("--chunk", type=int, default=31, help="days of a chunk of the range")
    found.add_argument("--sample", type=int, default=8, help="days that are measured one after the other; even")
    return found


def measure(
    connection: Connection, workload: str, days: list[date], chunk: int, sample: int
) -> dict[str, list[Measured]]:
    """Runs all backfills: days of the sample one by one, one chunk as a past run, the range, the range again."""
    half = sample // 2

    def run(some: list[date], chunk: int) -> Measured:
        return _run(connection, workload, some, chunk)

    before = run(days[:half], 1)
    backfill_days.forget(connection, workload, days[:half])
    past = run(days[:sample], sample)
    backfill_days.forget(connection, workload, days[:sample])
    whole, again = run(days, chunk), run(days, chunk)
    backfill_days.forget(connection, workload, days[-half:])
    return {"single": [before, run(days[-half:], 1)], "past": [past], "whole": [whole], "again": [again]}


def compare(single: list[Measured], past: list[Measured], whole: list[Measured], again: list[Measured]) -> list[Row]:
    """The rows of the table."""
    (year,), (repeated,), (earlier,) = whole, again, past
    sampled = sum(len(_days(one)) for one in single)
    a_day = sum(one.seconds for one in single) / sampled
    scaled = a_day * len(_days(year))
    loads = ", ".join(f"{one.load:.1f}" for one in (single[0], earlier, year, single[-1]))
    error = (year.report or {}).get("seconds_error")
    estimate = (year.report or {}).get("estimate", {})
    off = "unknown" if error is None else f"{error:+.0%}"
    return [
        Row(
            "a range day by day / in chunks, wall-clock time",
            scaled / year.seconds,
            "",
            None,
            f"in chunks of {year.chunk} days: {len(_days(year))} days in {year.seconds:.0f} s, measured whole; day by "
            f"day: {sampled} days took {a_day:.1f} s each, so {len(_days(year))} take {scaled:.0f} s, which is SCALED; "
            f"load averages at the four starts: {loads}",
            at_least=RATIO,
        ),
        Row(
            "error of the estimated time",
            float("inf") if error is None else abs(error),
            "",
            ERROR,
            f"{off}; {estimate.get('seconds')} from {estimate.get('basis')}",
        ),
        Row(
            "job runs that the same backfill started again",
            repeated.jobs,
            "",
            0,
            f"the first started {year.jobs}; the second took {repeated.seconds:.0f} s",
        ),
    ]


def _days(one: Measured) -> range:
    return range((one.last - one.first).days + 1)


def _run(connection: Connection, workload: str, days: list[date], chunk: int) -> Measured:
    first, last = days[0], days[-1]
    order = BackfillOrder(workload, {"from_date": str(first), "to_date": str(last), "chunk_days": chunk})
    with connection.reporter.stage(f"backfill of {first} to {last} in chunks of {chunk}"):
        load, jobs, started = os.getloadavg()[0], backfill_days.job_runs(connection), time.monotonic()
        try:
            report = backfill.run(connection, order, lambda _: True)
        except BackfillFailedError as error:
            if not error.report or error.report["missing"]:
                raise
            report = error.report  # every day was processed; the gate has refused some
        seconds = time.monotonic() - started
        return Measured(first, last, chunk, seconds, load, backfill_days.job_runs(connection) - jobs, report)


if __name__ == "__main__":
    sys.exit(main())
