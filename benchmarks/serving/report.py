"""The report: targets, tables for the terminal, and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving.agree import Agreement
from benchmarks.serving.contestants import ASGI_NOOP, FASTAPI_NOOP, OURS, OURS_OFF, SOURCE
from benchmarks.serving.measure import Figures
from benchmarks.serving.peers import Absent
from benchmarks.serving.starts import Start
from benchmarks.table import MET, MISSED, Row

LEVELS = (1, 8, 64)
SLOW_LEVELS = (8, 64, 400)
TIMES_SOURCE = {1: 60, 8: 120, 64: 250}
CPU_TIMES_SOURCE = 200
FASTAPI_SHARE, ASGI_SHARE = 0.45, 1.7
TIMES_PEER = {8: 100, 64: 200}
TELEMETRY_MICROSECONDS = 6
P99_TIMES_ASGI = 1.5
TIMES_ONE_PROCESS = 1.7
JOBLIB_START, JOBLIB_MEMORY = 0.5, 0.2
GOODPUT_KEPT, P99_GROWTH = 90, 3
MB = 1e6


@dataclass(frozen=True)
class AtLeast(Row):
    """A row whose target is a minimum. ``at_most`` is None."""

    at_least: float = field(default=0, kw_only=True)

    @property
    def verdict(self) -> str:
        """Whether the value meets the target."""
        if self.value is None:
            return super().verdict
        return MET if self.value >= self.at_least else MISSED


Run = Mapping[str, Mapping[int, Figures]]


def fast_rows(run: Run, peers: Sequence[str]) -> list[Row]:
    """Compares the service, all telemetry on, with the source's, the no-ops, the best peer, and telemetry off."""
    ours = run[OURS]
    rows: list[Row] = [
        AtLeast(
            f"requests/s at {level}, ours / the source's",
            rate(ours, level) / rate(run[SOURCE], level),
            "times",
            None,
            at_least=times,
        )
        for level, times in TIMES_SOURCE.items()
    ]
    rows += [
        AtLeast(
            "CPU per request at 8, the source's / ours",
            share(run[SOURCE], ours),
            "times",
            None,
            at_least=CPU_TIMES_SOURCE,
        ),
        Row("CPU per request at 8, ours / FastAPI no-op", share(ours, run[FASTAPI_NOOP]), "", FASTAPI_SHARE),
        Row("CPU per request at 8, ours / bare ASGI no-op", share(ours, run[ASGI_NOOP]), "", ASGI_SHARE),
    ]
    for level, at_least in TIMES_PEER.items():
        best = max(peers, key=lambda name: run[name][level].per_second, default=None)
        times = rate(ours, level) / rate(run[best], level) if best else None
        rows.append(
            AtLeast(
                f"requests/s at {level}, ours / the best peer's",
                times,
                "times",
                None,
                best or "no peer ran: PEERS=1",
                at_least=at_least,
            )
        )
    on, off = ours[8].cpu, run[OURS_OFF][8].cpu
    telemetry = on - off if on is not None and off is not None else None
    rows.append(Row("CPU per request at 8, telemetry all on - off", telemetry, "µs", TELEMETRY_MICROSECONDS))
    slow, quick = ours[LEVELS[-1]].p99, run[ASGI_NOOP][LEVELS[-1]].p99
    ratio = slow / quick if slow is not None and quick else None
    rows.append(Row(f"p99 at {LEVELS[-1]}, ours / bare ASGI no-op", ratio, "", P99_TIMES_ASGI))
    return rows


def processes_row(one: float, two: float) -> Row:
    """Compares two worker processes on all cores with one. On two cores, the generator takes its share of both."""
    note = f"one {one:,.0f}, two {two:,.0f} requests/s"
    return AtLeast("requests/s of two processes / of one", two / one, "times", None, note, at_least=TIMES_ONE_PROCESS)


def slow_rows(figures: Mapping[int, Figures]) -> list[Row]:
    """Compares a slow engine at 400 connections with itself at fewer."""
    few, many = SLOW_LEVELS[:-1], SLOW_LEVELS[-1]
    kept = 100 * rate(figures, many) / max(rate(figures, level) for level in few)
    slow, quick = figures[many].p99, figures[few[0]].p99
    growth = slow / quick if slow is not None and quick else None
    note = ", ".join(
        f"{level}: {one.per_second:.0f}/s, p99 {_number(one.p99)} ms, {one.failed} refused"
        for level, one in figures.items()
    )
    return [
        AtLeast(f"slow engine, goodput kept at {many} connections", kept, "%", None, note, at_least=GOODPUT_KEPT),
        Row(f"slow engine, accepted p99 at {many} / at {few[0]}", growth, "", P99_GROWTH),
    ]


def start_rows(nodes: int, ours: Start, joblib: Start, *, targets: bool) -> list[Row]:
    """Compares the start and memory of four workers with joblib's, which counts from its first process's answer."""
    size = f"forest of {nodes / 1e6:.1f} M nodes"
    start, least = (JOBLIB_START, JOBLIB_MEMORY) if targets else (None, None)
    ready = f"ours {ours.first:.2f} s, joblib {joblib.first:.2f} s (all four: {joblib.whole or 0:.2f} s)"
    memory = f"ours {ours.pss / MB:.0f} MB, joblib {joblib.pss / MB:.0f} MB"
    return [
        Row(f"{size}: start to ready, ours / joblib", ours.first / joblib.first, "", start, ready),
        Row(f"{size}: memory of 4 processes, ours / joblib", ours.pss / joblib.pss, "", least, memory),
    ]


def batch_row(ours: float, scikit_learn: float) -> Row:
    """The batch route, without a target."""
    note = f"ours over HTTP {ours:,.0f} rows/s, scikit-learn in process {scikit_learn:,.0f} rows/s"
    return Row("batch of 1000: rows/s, ours / scikit-learn in process", ours / scikit_learn, "times", None, note)


def targets(rows: Sequence[Row]) -> str:
    """The rows as text: each value beside its target, with the note below."""
    lines = [f"{'measured':<58}{'value':>14}  {'target':<16}verdict", "-" * 100]
    for row in rows:
        value = "—" if row.value is None else f"{row.value:.2f} {row.unit}".rstrip()
        lines.append(f"{row.name:<58}{value:>14}  {_target(row):<16}{row.verdict}")
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


def field_table(run: Run) -> str:
    """The figures of every contestant at each number of connections, as text."""
    head = ("connections", "requests/s", "CPU µs", "p50 ms", "p99 ms", "failed", "generator")
    lines = [f"{'contestant':<26}" + "".join(f"{one:>12}" for one in head), "-" * 110]
    for name, levels in run.items():
        for level, one in levels.items():
            latencies = (_number(one.p50, 2), _number(one.p99, 2))
            cells = (
                str(level),
                _number(one.per_second),
                _number(one.cpu),
                *latencies,
                str(one.failed),
                f"{one.busy:.0%}",
            )
            lines.append(f"{name:<26}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def notes(
    agreements: Sequence[Agreement],
    absent: Sequence[Absent],
    received: Mapping[str, int],
    ceiling: Figures,
    *,
    single_core: bool,
) -> str:
    """Text: what makes the figures comparable, and what is missing from them."""
    lines = [f"{one.name}: {_agreed(one)}" for one in agreements]
    lines += [f"{one.name} was not measured: {one.reason}" for one in absent]
    lines.append(
        f"received by the telemetry sink: {', '.join(f'{count:,} {name}' for name, count in received.items())}"
    )
    maximum = f"{ceiling.per_second:,.0f} requests/s, {ceiling.busy:.0%} of its core"
    lines.append(f"load generator against a server that does nothing: {maximum}")
    if single_core:
        lines.append(
            "ONE CORE: servers and load generator took turns on it; requests/s are too low, CPU per request is not"
        )
    return "\n".join(lines)


def picture(run: Run, path: Path) -> None:
    """Plots requests per second at each number of connections, and CPU per request at 8, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (rates, costs) = pyplot.subplots(1, 2, figsize=(13, 1.6 + 0.55 * len(run)), sharey=True)
    names = list(run)[::-1]
    for place, level in enumerate(LEVELS):
        offsets = [number + 0.27 * (1 - place) for number in range(len(names))]
        bars = rates.barh(
            offsets, [run[name][level].per_second for name in names], height=0.25, label=f"{level} connections"
        )
        rates.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
    bars = costs.barh(range(len(names)), [run[name][8].cpu or 0 for name in names], height=0.6, color="tab:gray")
    costs.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
    rates.set(xscale="log", xlabel="requests a second (more is better)", yticks=range(len(names)), yticklabels=names)
    costs.set(xscale="log", xlabel="CPU µs a request at 8 connections (less is better)")
    rates.margins(x=0.15)
    costs.margins(x=0.15)
    rates.legend(fontsize=7, loc="lower right")
    figure.suptitle(
        "One process on one core, one forest of 200 trees, caches off; medians of interleaved rounds", fontsize=10
    )
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def rate(figures: Mapping[int, Figures], level: int) -> float:
    return figures[level].per_second


def share(one: Mapping[int, Figures], other: Mapping[int, Figures]) -> float | None:
    """CPU per request of ``one`` divided by that of ``other``, at 8 connections."""
    mine, theirs = one[8].cpu, other[8].cpu
    return mine / theirs if mine is not None and theirs else None


def _agreed(one: Agreement) -> str:
    what = "labels" if one.difference is None else f"probabilities, largest difference {one.difference:.1e}"
    undecided = f"{one.undecided} labels too close to the threshold to compare"
    return f"{one.inputs:,} distinct inputs agree with scikit-learn ({what}; {undecided})"


def _target(row: Row) -> str:
    if isinstance(row, AtLeast):
        return f"≥ {row.at_least:g} {row.unit}".rstrip()
    return "—" if row.at_most is None else f"≤ {row.at_most:g} {row.unit}".rstrip()


def _number(value: float | None, digits: int = 0) -> str:
    return "—" if value is None else f"{value:,.{digits}f}"
