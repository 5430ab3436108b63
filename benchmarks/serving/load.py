"""The load generator: N connections in a closed loop, with all requests encoded before the measurement.

    python -m benchmarks.serving.load < spec.json > result.json

It is a process of its own, pinned to a core, so that it does not slow the server down. A connection sends its next
request when the last answer is complete. Only status and length of an answer are parsed. A status other than 200 is a
failed request, and its latency is not counted.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.serving import inputs, usage
from benchmarks.serving.inputs import Form

RECONNECT_SECONDS = 0.05
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Spec:
    """One round.

    Attributes:
        port: Port of the server.
        form: Form of the requests.
        connections: Number of connections.
        seconds: The round ends after this time, or after ``max_requests``.
        warm_up: Seconds before the measurement starts.
        max_requests: Number of good answers that ends the round.
        distinct: Number of distinct inputs.
        first: Number of the first request.
        pid: The server's process, whose CPU time is measured; None: it is not.
        core: Core on which the generator runs; None: any.
        answers: File for the answers; None: they are not written.
    """

    port: int
    form: Form
    connections: int
    seconds: float
    warm_up: float = 0.5
    max_requests: int = 1_000_000
    distinct: int = 50_000
    first: int = 0
    pid: int | None = None
    core: int | None = None
    answers: str | None = None

    def to_json(self) -> str:
        """Returns the round as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Spec:
        """Reads what :meth:`to_json` wrote."""
        fields = json.loads(text)
        form = Form(**{**fields["form"], "headers": tuple((name, value) for name, value in fields["form"]["headers"])})
        return cls(**{**fields, "form": form})


@dataclass(frozen=True)
class Result:
    """Measurements of one round.

    Attributes:
        seconds: Duration.
        good: Number of answers with status 200.
        failed: Number of failed requests by reason.
        p50: Median latency of the good answers, in milliseconds.
        p99: Their 99th percentile.
        server_cpu: CPU seconds of the server; None without its pid.
        busy: Share of its core that the generator used.
    """

    seconds: float
    good: int
    failed: dict[str, int]
    p50: float | None
    p99: float | None
    server_cpu: float | None
    busy: float


class Run:
    """The state of a round, shared by all connections."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        data = inputs.pairs(spec.distinct)
        count = max(1, spec.distinct // spec.form.rows)
        self.requests = [spec.form.request(number, data) for number in range(count)]
        self.next = spec.first % count
        self.measuring = False
        self.over = asyncio.Event()
        self.failed: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.answers: list[tuple[int, bytes]] = []

    def take(self) -> int:
        """Returns the number of the next request."""
        number = self.next
        self.next = number + 1 if number + 1 < len(self.requests) else 0
        return number

    def fail(self, reason: str) -> None:
        if self.measuring:
            self.failed[reason] += 1

    def answered(self, number: int, body: bytes, latency: float) -> None:
        self.answers.append((number, body))
        if self.measuring:
            self.latencies.append(latency)
            if len(self.latencies) >= self.spec.max_requests:
                self.over.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection with one open request."""

    def __init__(self, run: Run, lost: Callable[[], None]) -> None:
        self.run = run
        self.lost = lost
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        self.number = self.run.take()
        self.started = time.perf_counter()
        self.transport.write(self.run.requests[self.number])

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data if self.buffer else data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            self.buffer = data
            return
        length = _LENGTH.search(data, 0, head)
        if length is None:
            self.run.fail("an answer without content-length")
            self.transport.close()
            return
        if len(data) < head + 4 + int(length[1]):
            self.buffer = data
            return
        self.buffer = b""
        if data[9:12] == b"200":
            self.run.answered(self.number, data[head + 4 :], time.perf_counter() - self.started)
        else:
            self.run.fail(f"status {data[9:12].decode('latin-1')}")
        if not self.run.over.is_set():
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.run.over.is_set():
            self.run.fail("connection closed by the server")
            self.lost()


async def play(spec: Spec) -> Result:
    """Runs one round."""
    run, loop = Run(spec), asyncio.get_running_loop()
    transports: dict[int, asyncio.Transport] = {}
    tasks: set[asyncio.Task[None]] = set()

    def connect(place: int) -> None:
        task = loop.create_task(_connect(run, transports, place, connect))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    gc.collect()
    gc.freeze()
    gc.disable()
    for place in range(spec.connections):
        connect(place)
    await asyncio.sleep(spec.warm_up)
    cpu, own, start = _server_cpu(spec), time.process_time(), time.perf_counter()
    run.measuring = True
    try:
        await asyncio.wait_for(run.over.wait(), spec.seconds)
    except TimeoutError:
        run.over.set()
    run.measuring = False
    seconds = time.perf_counter() - start
    busy = (time.process_time() - own) / seconds
    used = None if cpu is None else (_server_cpu(spec) or 0.0) - cpu
    for task in list(tasks):
        task.cancel()
    for transport in transports.values():
        transport.abort()
    await asyncio.sleep(0)
    if spec.answers:
        Path(spec.answers).write_bytes(b"".join(b"%d\t%s\n" % (number, body.strip()) for number, body in run.answers))
    p50, p99 = percentile(run.latencies, 0.50), percentile(run.latencies, 0.99)
    return Result(seconds, len(run.latencies), dict(run.failed), p50, p99, used, busy)


async def _connect(
    run: Run, transports: dict[int, asyncio.Transport], place: int, again: Callable[[int], None]
) -> None:
    loop = asyncio.get_running_loop()
    while not run.over.is_set():
        try:
            made = await loop.create_connection(
                lambda: Connection(run, lambda: again(place)), "127.0.0.1", run.spec.port
            )
        except OSError as error:
            run.fail(f"no connection: {error.strerror or error}")
            await asyncio.sleep(RECONNECT_SECONDS)
        else:
            transports[place] = made[0]
            return


def percentile(latencies: list[float], share: float) -> float | None:
    """The nearest-rank percentile of latencies in seconds, as milliseconds; None if there are none."""
    if not latencies:
        return None
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def _server_cpu(spec: Spec) -> float | None:
    return None if spec.pid is None else usage.cpu_seconds(spec.pid)


def main() -> int:
    """Runs the round that standard input describes."""
    spec = Spec.from_json(sys.stdin.read())
    if spec.core is not None:
        os.sched_setaffinity(0, {spec.core})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(play(spec))
    json.dump(asdict(result), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
