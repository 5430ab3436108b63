"""``make bench-serving``: compares the service with the source's service, no-ops and, with ``PEERS=1``, peers.

    ROUNDS=3 SECONDS=2 PEERS=0 python -m benchmarks.serving

The exit code is 1 when a target is missed, and 2 when contestants answered differently or one failed. All measurements
are in ``$NIGHTJAR_HOME/bench/serving.json``, and as a plot in ``serving.png``. Method: docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.serving import batch, contestants, forest, peers, report, session, starts
from benchmarks.serving.contestants import OURS_SLOW
from benchmarks.serving.servers import ROOT, cores
from benchmarks.serving.session import log_progress
from benchmarks.table import MISSED

# Each start is measured this many times; the median counts.
STARTS = 3


def main() -> int:
    """Measures and prints the tables; returns the exit code."""
    try:
        return measure()
    except (BenchmarkError, subprocess.TimeoutExpired) as error:
        print(f"\nThe measurement failed.\n{error}", file=sys.stderr)
        return 2


def measure() -> int:
    """Returns 0, or 1 when a target is missed."""
    home = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar").resolve()
    count, seconds = int(os.environ.get("ROUNDS") or 3), float(os.environ.get("SECONDS") or 2)
    folder, logs = home / "bench", home / "bench" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    core, load_core = cores()
    log_progress(
        f"servers on core {core}, load generator on core {load_core}; {count} rounds of {seconds:g} s; logs in {logs}"
    )
    small = forest.prepare(folder, forest.SMALL_ROWS)
    slow = forest.prepare(folder, forest.SMALL_ROWS, ladder=())
    medium = forest.prepare(folder, forest.MEDIUM_ROWS)
    large = forest.prepare(folder, forest.LARGE_ROWS)
    with_peers = os.environ.get("PEERS", "0") not in ("", "0")
    rivals, absent = peers.available(home, small, folder) if with_peers else ([], [])
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as answers:
        field = session.play_field(small, rivals, logs, Path(answers), count, seconds)
        slow_figures = session.play_slow(slow, logs, Path(answers), count)
        medium_figures = session.play_medium(medium, logs, Path(answers), count, seconds)
        agreements = session.compare(small, Path(answers), {**field.readers, OURS_SLOW: contestants.read_ours})
    one, two = (session.play_processes(small, logs, seconds, workers) for workers in (1, 2))
    ceiling = session.play_ceiling(logs, seconds)
    rows = report.fast_rows(field.figures, [one.name for one in rivals if one.name in field.figures])
    rows.append(report.processes_row(one, two))
    rows += report.slow_rows(slow_figures[OURS_SLOW])
    for forest_size, has_targets in ((large, True), (small, False)):
        log_progress(f"{forest_size.nodes:,} nodes: start and memory of {starts.WORKERS} processes")
        ours, joblib = starts.ours(forest_size, logs, STARTS), starts.joblib(forest_size, logs, STARTS)
        rows += report.start_rows(forest_size.nodes, ours, joblib, targets=has_targets)
    rows.append(report.batch_row(batch.ours(small, logs, seconds), batch.scikit_learn(small, seconds)))
    figures = {**field.figures, **slow_figures, **medium_figures}
    print(f"\n{report.field_table(figures)}\n\n{report.targets(rows)}\n")
    print(report.notes(agreements, [*absent, *field.absent], field.received, ceiling, single_core=core == load_core))
    report.picture(field.figures, folder / "serving.png")
    document = {
        "measured_at": datetime.now(UTC).isoformat(),
        "processors": os.cpu_count(),
        "rounds": count,
        "seconds": seconds,
        "rows": [row.to_json() for row in rows],
        "contestants": {
            name: {level: asdict(one) for level, one in levels.items()} for name, levels in figures.items()
        },
        "agreement": [asdict(one) for one in agreements],
        "absent": [asdict(one) for one in (*absent, *field.absent)],
        "generator_ceiling": asdict(ceiling),
        "sink": field.received,
    }
    (folder / "serving.json").write_text(json.dumps(document, indent=2) + "\n")
    print(f"plot: {folder / 'serving.png'}; all measurements: {folder / 'serving.json'}")
    return int(any(row.verdict == MISSED for row in rows))


if __name__ == "__main__":
    sys.exit(main())
