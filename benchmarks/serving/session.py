"""The parts of a run that need servers: all contestants, the slow engine, and the generator's own maximum."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import agree, contestants, forest, inputs, measure
from benchmarks.serving.agree import Agreement, Reader
from benchmarks.serving.contestants import APPS, OURS, OURS_MEDIUM, OURS_OFF, OURS_SLOW, Contestant
from benchmarks.serving.forest import Forest
from benchmarks.serving.inputs import Form
from benchmarks.serving.load import Spec
from benchmarks.serving.measure import Figures, Running
from benchmarks.serving.peers import Absent
from benchmarks.serving.report import LEVELS, SLOW_LEVELS
from benchmarks.serving.servers import Server, ServerError, cores
from infra.laptop.free_ports import free_port

# The slow engine answers too few requests for a 99th percentile in a shorter round.
SLOW_SECONDS = 5.0
# Longer than the service's telemetry buffers a batch.
FLUSH_SECONDS = 2.0


@dataclass(frozen=True)
class Field:
    """Result of a run of all contestants.

    Attributes:
        figures: By contestant and number of connections.
        readers: Readers of the contestants that predict.
        absent: Peers that did not start.
        received: Number of items that the telemetry sink received, by kind.
    """

    figures: dict[str, dict[int, Figures]]
    readers: dict[str, Reader]
    absent: list[Absent]
    received: dict[str, int]


def log_progress(text: str) -> None:
    """Prints a line of progress on stderr; the report is on stdout."""
    print(f"[bench] {text}", file=sys.stderr, flush=True)


def play_field(
    model: Forest, rivals: Sequence[Contestant], logs: Path, answers: Path, count: int, seconds: float
) -> Field:
    """Measures all contestants, interleaved. A peer that does not start is absent.

    Raises:
        ServerError: Another contestant does not start, or telemetry did not arrive in the sink.
    """
    core, load_core = cores()
    absent: list[Absent] = []
    with ExitStack() as stack:
        port = free_port()
        sink = [sys.executable, "-m", "benchmarks.serving.sink", str(port)]
        stack.enter_context(Server(sink, {}, port, logs / "sink.log", {load_core})).until_answers(Form("/"))
        own = [
            contestants.source(model),
            *contestants.noops(),
            contestants.ours(OURS, model.bundle, sink_port=port),
            contestants.ours(OURS_OFF, model.bundle, sink_port=port, telemetry=False),
        ]
        running = []
        for number, one in enumerate((*own, *rivals)):
            server = stack.enter_context(one.start(logs / f"{number}.log", {core}))
            try:
                took = server.until_answers(one.form)
            except ServerError as error:
                if one in own:
                    raise
                server.stop()
                absent.append(Absent(one.name, str(error)))
                continue
            log_progress(f"{one.name} answers after {took:.1f} s")
            running.append(Running(one, server))
        figures = measure.rounds(running, LEVELS, count, seconds, answers, log_progress)
        time.sleep(FLUSH_SECONDS)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
            received: dict[str, int] = json.load(response)
    received["of predictions answered"] = sum(len(agree.read_answers(file)) for file in (answers / OURS).iterdir())
    if silent := [name for name, number in received.items() if not number]:
        raise ServerError(f"{OURS} sent no {', '.join(silent)}: not everything was on. Its log: {logs}")
    readers = {one.contestant.name: one.contestant.read for one in running if one.contestant.read}
    return Field(figures, readers, absent, received)


def play_slow(
    model: Forest, logs: Path, answers: Path, count: int, seconds: float = SLOW_SECONDS
) -> dict[str, dict[int, Figures]]:
    """Measures the service with scikit-learn as its engine, up to far more connections than it can serve at once."""
    one = contestants.ours(OURS_SLOW, model.bundle)
    with one.start(logs / "slow.log", {cores()[0]}) as server:
        server.until_answers(one.form)
        return measure.rounds([Running(one, server)], SLOW_LEVELS, count, seconds, answers, log_progress)


def play_medium(model: Forest, logs: Path, answers: Path, count: int, seconds: float) -> dict[str, dict[int, Figures]]:
    """Measures the service with a larger forest, without telemetry."""
    one = contestants.ours(OURS_MEDIUM, model.bundle)
    with one.start(logs / "medium.log", {cores()[0]}) as server:
        server.until_answers(one.form)
        return measure.rounds([Running(one, server)], LEVELS, count, seconds, answers, log_progress)


def play_processes(model: Forest, logs: Path, seconds: float, workers: int) -> float:
    """Measures requests per second of so many worker processes on all cores, at the largest number of connections."""
    one = contestants.ours(f"{OURS_OFF}, {workers} processes", model.bundle, workers)
    with one.start(logs / f"processes-{workers}.log", None) as server:
        server.until_answers(one.form)
        return Figures.of([measure.play(Spec(server.port, one.form, LEVELS[-1], seconds, pid=server.pid))]).per_second


def play_ceiling(logs: Path, seconds: float) -> Figures:
    """Measures the load generator against a server that does nothing, at the largest number of connections."""
    port = free_port()
    with Server([sys.executable, str(APPS / "raw.py"), str(port)], {}, port, logs / "raw.log", {cores()[0]}) as server:
        server.until_answers(Form())
        return Figures.of([measure.play(Spec(port, Form(), LEVELS[-1], seconds, pid=server.pid))])


def compare(model: Forest, answers: Path, readers: Mapping[str, Reader]) -> list[Agreement]:
    """Compares every answer of every contestant that predicts.

    Raises:
        agree.DisagreementError: They do not agree.
    """
    expected = forest.probabilities(model.load(), inputs.pairs(Spec.distinct))
    found = []
    for name, read in readers.items():
        files = sorted((answers / name).glob("*"))
        found.append(agree.compare(name, [one for file in files for one in agree.read_answers(file)], read, expected))
    agree.require(found)
    return found
