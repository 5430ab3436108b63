"""``make bench-drift``: the monitor's drift functions over the weeks of 2013.

Each week is compared, day by day, with the baseline that the version live on it would have: trained on the Sunday night
before (the real one is trained every night, so its baseline is newer). Prints the weeks in which something is confirmed
although nothing was changed, and for each accident in how many of the weeks it is confirmed by the week's end.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.drift_counting import CORRUPTIONS, columns_of, corrupted, counted, moments
from benchmarks.drift_history import rows as history_rows
from include.lake.days import cutoff
from include.model.baseline import Baseline
from include.pipelines.monitor.compare import compare_columns, compare_labels
from include.pipelines.monitor.history import confirmed
from include.sql.splits import split_bounds
from include.training import baseline
from include.workloads import Workload, load
from include.workloads.schema import feature_column

FIRST_MONDAY, LAST_DAY = date(2013, 3, 11), date(2013, 12, 29)
WEEK = timedelta(days=7)
EARLIER = 4  # days before the week, whose windows the hysteresis looks at


@dataclass
class Outcome:
    """What happened in the weeks.

    Attributes:
        weeks: The Mondays.
        alarms: Monday → what was confirmed although nothing was changed.
        single: Monday → what was above a limit on one day or more.
        caught: (accident, feature) → Mondays of the weeks in which it was confirmed.
        tried: (accident, feature) → weeks in which it was tried.
        days: (accident, feature) → days until it was confirmed, of the weeks in which it was.
    """

    weeks: list[date] = field(default_factory=list)
    alarms: dict[date, dict[str, str]] = field(default_factory=dict)
    single: dict[date, set[str]] = field(default_factory=dict)
    caught: dict[tuple[str, str], list[date]] = field(default_factory=dict)
    tried: dict[tuple[str, str], int] = field(default_factory=dict)
    days: dict[tuple[str, str], list[int]] = field(default_factory=dict)


class History:
    """The rows of the year by day.

    Args:
        table: The rows, in the order of time.
        workload: The workload.
    """

    def __init__(self, table: pa.Table, workload: Workload) -> None:
        self.table, self.workload = table, workload
        self.days = pc.cast(table["event_time"], pa.int64()).to_numpy() // 86_400_000
        self.labels = table["label"].to_numpy()
        self.columns: dict[str, np.ndarray] = {}
        for name, kind in workload.features.items():
            column = table[feature_column(name)]
            self.columns[name] = (
                column.to_numpy() if kind == "number" else np.array(column.to_pylist(), dtype=object)
            ).copy()

    def of_day(self, day: date) -> slice:
        """The rows of a day."""
        number = (day - date(1970, 1, 1)).days
        return slice(*np.searchsorted(self.days, [number, number + 1]))

    def baseline(self, day: date) -> Baseline:
        """The baseline of the version that a retrain run of a day makes."""
        bounds = split_bounds(self.workload.dataset, cutoff(day))
        splits = []
        for split in ("train", "validation"):
            start, end = ((bounds[split][edge].date() - date(1970, 1, 1)).days for edge in (0, 1))
            low, high = np.searchsorted(self.days, [start, end])
            splits.append(self.table.slice(low, high - low))
        scores = np.linspace(0.1, 0.9, splits[1].num_rows)  # no model is trained here
        document = baseline.make(self.workload, pa.concat_tables(splits), {}, splits[1], scores)
        found: Baseline = json.loads(document)
        return found


def measure(history: History, mondays: list[date], features: list[str] | None = None) -> Outcome:
    """Runs the weeks; accidents are tried on the given features, by default on all."""
    outcome = Outcome()
    for monday in mondays:
        made = history.baseline(monday - timedelta(days=1))
        days = [monday + timedelta(days=offset) for offset in range(-EARLIER, 7)]
        clean = {day: _compared(history, made, day) for day in days}
        windows = {str(day): found for day, (found, _) in clean.items()}
        outcome.weeks.append(monday)
        week = [day for day in days if day >= monday]
        outcome.alarms[monday] = {}
        for day in week:
            outcome.alarms[monday] |= confirmed(windows, str(day))
        outcome.single[monday] = {name for day in week for name in windows[str(day)]}
        for name in features or [*made["features"]]:
            for kind in CORRUPTIONS:
                _try(history, made, outcome, clean, monday, name, kind)
    return outcome


def _compared(history: History, made: Baseline, day: date) -> tuple[dict[str, str], dict[str, Any]]:
    """Feature → why it drifted on a day; and what was counted."""
    chosen = history.of_day(day)
    rows = columns_of(history.columns, chosen, [*made["features"]])
    counts = {name: counted(column, rows[name]) for name, column in made["features"].items()}
    measured = {name: moments(name, column, rows) for name, column in made["features"].items()}
    results = compare_columns(made["features"], counts, measured)
    drifted = {one["name"]: "; ".join(one["drifted"]) for one in results if one["drifted"]}
    labels = history.labels[chosen]
    label = compare_labels(made["label"], {"1": int(labels.sum()), "0": int(len(labels) - labels.sum())})
    if label["drifted"]:
        drifted["label"] = label["drifted"][0]
    return drifted, {"rows": rows, "counts": counts, "moments": measured}


def _try(
    history: History,
    made: Baseline,
    outcome: Outcome,
    clean: Mapping[date, tuple[dict[str, str], dict[str, Any]]],
    monday: date,
    name: str,
    kind: str,
) -> None:
    """Corrupts a feature from Monday on, until it is confirmed or the week is over."""
    windows = {str(day): found for day, (found, _) in clean.items() if day < monday}
    column = made["features"][name]
    was_tried = False
    for offset in range(7):
        day = monday + timedelta(days=offset)
        counts = clean[day][1]
        changed = corrupted(name, counts["rows"][name], kind, seed=monday.toordinal() * 10 + offset)
        if changed is None:
            return
        was_tried = True
        rows = {**counts["rows"], name: changed}
        results = compare_columns(
            made["features"],
            {**counts["counts"], name: counted(column, changed)},
            {**counts["moments"], name: moments(name, column, rows)},
        )
        windows[str(day)] = {one["name"]: "; ".join(one["drifted"]) for one in results if one["drifted"]}
        if name in confirmed(windows, str(day)):
            outcome.caught.setdefault((kind, name), []).append(monday)
            outcome.days.setdefault((kind, name), []).append(offset + 1)
            break
    outcome.tried[kind, name] = outcome.tried.get((kind, name), 0) + was_tried


def lines(outcome: Outcome) -> Iterator[str]:
    """The outcome as text."""
    alarmed = [monday for monday in outcome.weeks if outcome.alarms[monday]]
    yield f"{len(outcome.weeks)} weeks; {len(alarmed)} with something confirmed although nothing was changed"
    single = sum(bool(outcome.single[monday]) for monday in outcome.weeks)
    yield f"{single} with something above a limit on a single day"
    for monday in alarmed:
        for name, why in outcome.alarms[monday].items():
            yield f"  week of {monday}: {name}: {why}"
    for kind in CORRUPTIONS:
        tried = {name: weeks for (one, name), weeks in outcome.tried.items() if one == kind}
        caught = {name: len(outcome.caught.get((kind, name), ())) for name in tried}
        days = [number for (one, _), numbers in outcome.days.items() if one == kind for number in numbers]
        middle = f", after {float(np.median(days)):g} days in the middle" if days else ""
        total = sum(tried.values())
        yield f"{kind}: {sum(caught.values())} of {total} confirmed, {total - sum(caught.values())} missed{middle}"
        missed = {name: weeks - caught[name] for name, weeks in tried.items() if caught[name] < weeks}
        if missed:
            yield "  missed: " + ", ".join(f"{name} {number} of {tried[name]}" for name, number in missed.items())


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".nightjar/data/flights"), help="the history's data files")
    parser.add_argument("--every", type=int, default=1, help="only every so many weeks")
    given = parser.parse_args()
    workload = load("flights")
    table = history_rows(given.data, date(2013, 1, 1), LAST_DAY + timedelta(days=1))
    weeks = (LAST_DAY - FIRST_MONDAY).days // 7 + 1
    mondays = [FIRST_MONDAY + WEEK * index for index in range(0, weeks, given.every)]
    print("\n".join(lines(measure(History(table, workload), mondays))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
