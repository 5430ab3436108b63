"""CPU and memory of the audit job over a range of days, and of one large day.

    python -m benchmarks.data.audit [--days 365] [--rows 1000] [--large 10000000] [--quick]

The job runs as on Glue, in its own environment, on files of the flights workload on disk. The CPU of a day is the
difference between a range and its first days, so that imports and Great Expectations' start do not count; they are
printed. Every day of the range must pass, or the exit code is 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Set
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.rows import FIRST, day_tables
from benchmarks.errors import BenchmarkError
from benchmarks.table import Row, table
from include.workloads.declaration import Workload
from include.workloads.loader import load
from include.workloads.schema import PARTITION_COLUMN

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar") / "venvs" / "glue" / "bin" / "python"
CPU_A_DAY, MEMORY_GB = 0.03, 1.5
FEW_DAYS = 5
ROW_GROUP = 250_000
GB = 1e9


@dataclass(frozen=True)
class Run:
    """What a run of the job took."""

    cpu: float
    memory: int


def stage(workload: Workload, folder: Path, days: int, rows: int) -> None:
    """Writes the rows, the transform's report and the list of published days (none)."""
    counts = {"read": rows, "duplicates": 0, "quarantined": 0, "written": rows}
    names = [str(FIRST + timedelta(days=number)) for number in range(days)]
    tables = {join.table: {"read": 1, "quarantined": 0} for join in workload.joins}
    report = {"days": {name: dict.fromkeys(workload.events, counts) for name in names}, "tables": tables, "reasons": {}}
    for event_type in workload.events:
        repeats, group = divmod(rows, ROW_GROUP) if rows > ROW_GROUP else (1, rows)
        for day, one in day_tables(workload, event_type, days, ROW_GROUP if repeats > 1 else group, "us"):
            file = folder / "staging" / event_type / f"{PARTITION_COLUMN[0]}={day}" / "part-0.parquet"
            file.parent.mkdir(parents=True)
            with pq.ParquetWriter(file, one.schema) as writer:
                for number in range(repeats):
                    writer.write_table(_numbered(one, number) if repeats > 1 else one)
    (folder / "staging" / "report.json").write_text(json.dumps(report))
    (folder / "recent.json").write_text(json.dumps({"workload": workload.name, "days": {}}))


def _numbered(part: pa.Table, number: int) -> pa.Table:
    """The part of a large day with keys and measured values that no other part has."""
    columns = []
    for name, column in zip(part.column_names, part.columns, strict=True):
        if name == "key":
            column = pa.chunked_array([pa.array([f"{key[:-4]}{number:04}" for key in column.to_pylist()])])
        elif pa.types.is_floating(column.type):
            column = pa.compute.add(column, number * 1e-9)
        columns.append(column)
    return pa.table(columns, names=part.column_names)


def run(folder: Path, days: list[date], refused_by: Set[str] = frozenset()) -> Run:
    """Runs the job on some days.

    Args:
        folder: Where the rows are.
        days: The days.
        refused_by: The critical findings that each day has.

    Raises:
        BenchmarkError: It failed, or a day has other findings.
    """
    arguments = ["--workload=flights", f"--days={','.join(map(str, days))}", f"--staging=file://{folder}/staging/"]
    arguments += [f"--docs=file://{folder}/docs/", f"--recent=file://{folder}/recent.json"]
    pid = os.posix_spawn(PYTHON, [str(PYTHON), "-m", "include.glue.audit", *arguments], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise BenchmarkError(f"the audit ended with {os.waitstatus_to_exitcode(status)}; see its output above")
    found = json.loads((folder / "staging" / "audit.json").read_text())["days"]
    for day, one in found.items():
        names = {finding["name"] for finding in one["findings"] if finding["severity"] == "critical"}
        if names != refused_by:
            raise BenchmarkError(f"{day} is not as it was made: {one['critical_failures']}")
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(options: argparse.Namespace) -> list[Row]:
    """Measures the range and the large day."""
    workload = load("flights")
    with tempfile.TemporaryDirectory(prefix="audit-benchmark-") as work:
        folder = Path(work) / "range"
        stage(workload, folder, options.days, options.rows)
        days = [FIRST + timedelta(days=number) for number in range(options.days)]
        few, whole = run(folder, days[:FEW_DAYS]), run(folder, days)
        cpu = (whole.cpu - few.cpu) / (options.days - FEW_DAYS)
        note = f"{options.days} days {whole.cpu:.1f} s, {FEW_DAYS} days {few.cpu:.1f} s; {whole.memory / GB:.2f} GB"
        rows = [Row(f"audit of a day of {options.rows} rows in a range, CPU", cpu, "s", CPU_A_DAY, note)]
        if options.large:
            large = Path(work) / "large"
            stage(workload, large, 1, options.large)
            found = run(large, [FIRST], refused_by={f"{name}.rows" for name in workload.events})
            name = f"audit of one day of {options.large / 1e6:g}M rows, memory"
            rows.append(Row(name, found.memory / GB, "GB", MEMORY_GB, f"CPU {found.cpu:.0f} s"))
    return rows


def main() -> int:
    """Prints the table; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rows", type=int, default=1000, help="rows a day of each event type")
    parser.add_argument("--large", type=int, default=10_000_000, help="rows of the large day; 0 leaves it out")
    parser.add_argument("--quick", action="store_true", help="60 days, and no large day")
    options = parser.parse_args()
    if options.quick:
        options.days, options.large = 60, 0
    try:
        measured = measure(options)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(measured))
    return int(any(row.verdict == "MISSED" for row in measured))


if __name__ == "__main__":
    sys.exit(main())
