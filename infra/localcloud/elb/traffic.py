"""What each target group answered, counted from a line of Caddy's log for every request.

The lines come as datagrams: when nobody reads them they are dropped, and no request waits.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from infra.localcloud.background import Background

# Fields of a line that the listeners' handlers add.
GROUP, BALANCER, LATENCY = "target_group", "load_balancer", "latency_ms"
SECONDS = 10  # the traffic of so many seconds is counted together
_BUFFER_BYTES = 4 << 20
_BEAT_SECONDS = 10.0
_LINE_BYTES = 65_535
_AT_ONCE = 1_000  # lines that are read before the thread reports that it is alive


@dataclass
class Answers:
    """The requests that a target group got in some seconds.

    Attributes:
        requests: How many.
        codes: ``2XX`` and so on → how many answers of the targets.
        unreachable: How many requests no target answered.
        latencies: Seconds until a target's answer began → how many; to three digits.
    """

    requests: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    unreachable: int = 0
    latencies: Counter[float] = field(default_factory=Counter)

    def add(self, line: dict[str, Any]) -> None:
        """Counts a request."""
        self.requests += 1
        milliseconds = line.get(LATENCY)
        if not isinstance(milliseconds, int | float):
            self.unreachable += 1
            return
        self.codes[f"{int(line['status']) // 100}XX"] += 1
        self.latencies[float(f"{milliseconds / 1000:.3g}")] += 1


TrafficKey = tuple[float, str, str]
"""When the seconds begin (Unix time), the load balancer, and the target group."""


class TrafficLog:
    """Receives the lines on a UDP port of 127.0.0.1, in a thread of its own.

    Args:
        background: Runs the thread.
    """

    def __init__(self, background: Background) -> None:
        self._lock = threading.Lock()
        self._answers: dict[TrafficKey, Answers] = defaultdict(Answers)
        self._requests: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.settimeout(_BEAT_SECONDS)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        background.loop("elb-traffic", self._receive)

    def take(self, before: float) -> dict[TrafficKey, Answers]:
        """Returns what was counted in seconds that ended before a time, and forgets it."""
        with self._lock:
            ended = [key for key in self._answers if key[0] + SECONDS <= before]
            return {key: self._answers.pop(key) for key in ended}

    def take_requests(self) -> dict[str, int]:
        """Returns how many requests each target group got since the last call."""
        with self._lock:
            counted, self._requests = self._requests, Counter()
        return counted

    def _receive(self) -> float:
        try:
            self.count(self._socket.recv(_LINE_BYTES))
            for _ in range(_AT_ONCE):
                self.count(self._socket.recv(_LINE_BYTES, socket.MSG_DONTWAIT))
        except (TimeoutError, BlockingIOError):
            pass
        return 0

    def count(self, text: bytes) -> None:
        """Counts one line; of a request that no target group got, nothing."""
        try:
            line = json.loads(text)
            key = (float(line["ts"]) // SECONDS * SECONDS, str(line[BALANCER]), str(line[GROUP]))
        except (ValueError, KeyError, TypeError):
            return
        with self._lock:
            self._answers[key].add(line)
            self._requests[key[2]] += 1
