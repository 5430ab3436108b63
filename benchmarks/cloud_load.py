"""The load of the benchmark of the local cloud: raw HTTP on persistent connections."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_BLOCK = 1024 * 1024


def _connect(url: str) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.netloc, timeout=120), f"{parts.path}?{parts.query}"


def get_many(url: str, readers: int, seconds: float) -> int:
    """Gets an object from several threads for some seconds; returns how often it arrived whole."""
    end = time.perf_counter() + seconds

    def read(_: int) -> int:
        connection, path = _connect(url)
        buffer = memoryview(bytearray(_BLOCK))
        count = 0
        while time.perf_counter() < end:
            connection.request("GET", path)
            answer = connection.getresponse()
            expected = int(answer.headers["Content-Length"])
            while received := answer.readinto(buffer):
                expected -= received
            count += answer.status == 200 and not expected
        connection.close()
        return count

    with ThreadPoolExecutor(readers) as pool:
        return sum(pool.map(read, range(readers)))


def put_big(url: str, size: int) -> None:
    """Puts an object of this size."""
    connection, path = _connect(url)
    connection.putrequest("PUT", path)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    block = b"x" * _BLOCK
    for _ in range(size // _BLOCK):
        connection.send(block)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"the put answered {answer.status}")


def keep_heading(url: str, ended: threading.Event, latencies: list[float]) -> None:
    """Sends HEAD again and again, and appends how long each took."""
    connection, path = _connect(url)
    while not ended.is_set():
        start = time.perf_counter()
        connection.request("HEAD", path)
        connection.getresponse().read()
        latencies.append(time.perf_counter() - start)
        time.sleep(0.005)
    connection.close()
