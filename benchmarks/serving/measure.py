"""Rounds of all contestants, interleaved, so that a slow minute of the machine affects all alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.serving.contestants import Contestant
from benchmarks.serving.load import Result, Spec
from benchmarks.serving.servers import ROOT, Server, cores

GRACE_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """A contestant and its running server."""

    contestant: Contestant
    server: Server


@dataclass(frozen=True)
class Figures:
    """Medians over the rounds of one contestant at one number of connections.

    Attributes:
        per_second: Good answers per second.
        cpu: CPU microseconds of the server's process tree per good answer.
        p50: Median latency of good answers, in milliseconds.
        p99: Their 99th percentile.
        failed: Number of failed requests in all rounds.
        busy: Largest share of its core that the generator used.
        rounds: Good answers per second of each round.
    """

    per_second: float
    cpu: float | None
    p50: float | None
    p99: float | None
    failed: int
    busy: float
    rounds: tuple[float, ...]

    @classmethod
    def of(cls, results: Sequence[Result]) -> Figures:
        """Computes the medians."""
        rates = tuple(one.good / one.seconds for one in results)
        return cls(
            per_second=statistics.median(rates),
            cpu=_median(
                [one.server_cpu / one.good * 1e6 for one in results if one.server_cpu is not None and one.good]
            ),
            p50=_median([one.p50 for one in results if one.p50 is not None]),
            p99=_median([one.p99 for one in results if one.p99 is not None]),
            failed=sum(sum(one.failed.values()) for one in results),
            busy=max(one.busy for one in results),
            rounds=rates,
        )


def rounds(
    field: Sequence[Running],
    levels: Sequence[int],
    count: int,
    seconds: float,
    answers: Path,
    log_progress: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[int, Figures]]:
    """Measures every contestant at every number of connections.

    Args:
        field: The contestants.
        levels: Numbers of connections.
        count: Number of rounds.
        seconds: Duration of a measurement.
        answers: Folder in which every answer is written, to ``<contestant>/``, for ``agree``.
        log_progress: Called with a line per measurement.

    Returns:
        Figures by contestant and number of connections.
    """
    results: dict[tuple[str, int], list[Result]] = defaultdict(list)
    for number in range(count):
        for level in levels:
            # Another contestant is the first in each round.
            turn = number % len(field)
            for one in (*field[turn:], *field[:turn]):
                folder = answers / one.contestant.name
                folder.mkdir(parents=True, exist_ok=True)
                file = folder / f"{number}-{level}"
                # Each round starts with other inputs.
                spec = Spec(
                    one.server.port,
                    one.contestant.form,
                    level,
                    seconds,
                    first=number * 7919,
                    pid=one.server.pid,
                    answers=str(file),
                )
                result = play(spec)
                results[one.contestant.name, level].append(result)
                where = f"round {number + 1}/{count}, {level:>3} connections, {one.contestant.name}"
                log_progress(f"{where}: {_summary(result)}")
    return {
        one.contestant.name: {level: Figures.of(results[one.contestant.name, level]) for level in levels}
        for one in field
    }


def play(spec: Spec) -> Result:
    """Runs one round in a load generator of its own.

    Raises:
        BenchmarkError: The load generator failed. The text has its errors.
    """
    placed = Spec(**{**spec.__dict__, "core": cores()[1]})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.load"],
        cwd=ROOT,
        input=placed.to_json(),
        capture_output=True,
        text=True,
        timeout=spec.warm_up + spec.seconds + GRACE_SECONDS,
    )
    if done.returncode:
        raise BenchmarkError(f"The load generator failed:\n{done.stderr[-2000:]}")
    return Result(**json.loads(done.stdout))


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _summary(result: Result) -> str:
    failed = f", failed: {result.failed}" if result.failed else ""
    return f"{result.good / result.seconds:,.0f} requests/s{failed}"
