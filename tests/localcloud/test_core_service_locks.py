"""infra/localcloud/service_locks.py: moto answers one request of a service at a time."""

from __future__ import annotations

import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.service_locks import ServiceLocks


def send(application: Any, service: str, body: Any = None) -> Any:
    environ = {ENVIRON_KEY: AwsRequest(None, service, "Act", "", "json"), "wsgi.input": body or io.BytesIO(b"body")}
    return application(environ, None)


def test_one_request_of_a_service_at_a_time() -> None:
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def application(environ: Any, start_response: Any) -> list[bytes]:
        service = environ[ENVIRON_KEY].service
        inside[service] += 1
        most[service] = max(most[service], inside[service])
        threading.Event().wait(0.005)
        inside[service] -= 1
        return [environ["wsgi.input"].read()]

    locks = ServiceLocks(application)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: send(locks, ("s3", "dynamodb")[number % 2]), range(40)))
    assert answers == [[b"body"]] * 40
    assert most == {"s3": 1, "dynamodb": 1}


def test_services_do_not_wait_for_each_other_nor_anyone_for_a_slow_sender() -> None:
    both = threading.Barrier(2, timeout=10)

    def application(environ: Any, start_response: Any) -> list[bytes]:
        if environ[ENVIRON_KEY].service != "logs":
            both.wait()
        return [b"done"]

    locks = ServiceLocks(application)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda service: send(locks, service), ("athena", "s3"))) == [[b"done"]] * 2

    sent = threading.Event()

    class Slow(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            assert sent.wait(10)
            return b""

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(send, locks, "logs", Slow())
        assert send(locks, "logs") == [b"done"]
        sent.set()
        assert slow.result() == [b"done"]
