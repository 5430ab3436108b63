"""The supervisor and its workers: ready only when verified, replaced when killed, ended in order, never left behind."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from include.model import bundle
from infra.laptop.free_ports import free_port
from tests.support.bundles import text_files
from tests.support.ports import accepts_connections
from tests.support.process_ends import has_ended
from tests.support.request_cases import GOOD
from tests.support.service import JSON, Service, StartService, eventually

pytestmark = pytest.mark.stack


@pytest.fixture
def packed() -> bytes:
    return bundle.pack(text_files())


def workers(service: Service, count: int) -> list[psutil.Process]:
    """The workers, once the startup process has ended."""
    assert eventually(lambda: len(service.children()) == count), service.children()
    return service.children()


@pytest.fixture
def silent_s3() -> Iterator[str]:
    """An endpoint that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def loading(start: StartService, endpoint: str) -> Service:
    """A service that waits for its bundle."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    return start(b"", BUNDLE_URI="s3://bucket/key", AWS_ENDPOINT_URL=endpoint, **keys)


def test_it_is_alive_but_not_ready_while_it_loads(start: StartService, silent_s3: str):
    service = loading(start, silent_s3)
    assert service.until("/health", 200).json() == {"status": "alive"}
    answer = service.client.get("/ready")
    assert answer.status_code == 503 and answer.json() == {"ready": False, "reason": "the bundle is being loaded"}
    assert answer.headers["retry-after"] == "1"
    answer = service.client.post("/predict", content=GOOD, headers=JSON)
    assert answer.status_code == 503 and "being loaded" in answer.json()["error"] and answer.json()["request_id"]
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0


def test_ready_says_why_not(start: StartService, packed: bytes):
    service = start(packed, WORKLOAD="others", EXIT_DELAY_SECONDS="30")
    assert eventually(lambda: "belongs to workload texts" in service.until("/ready", 503).json()["reason"])
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0


def test_every_worker_serves_and_memory_is_shared(start: StartService, packed: bytes):
    service = start(packed, WORKERS="4")
    service.until("/ready", 200)
    processes = workers(service, 4)
    assert {service.predict() for _ in range(100)} == {200}
    requests = service.client.get("/metrics").text
    assert 'route="/predict"' in requests
    shares = [process.memory_full_info() for process in processes]
    assert sum(share.pss for share in shares) < 0.75 * sum(share.rss for share in shares)


def test_a_killed_worker_is_replaced(start: StartService, packed: bytes):
    service = start(packed, WORKERS="2")
    service.until("/ready", 200)
    victim = workers(service, 2)[0]
    victim.send_signal(signal.SIGKILL)
    assert eventually(lambda: victim.pid not in [process.pid for process in service.children()])
    workers(service, 2)
    assert {service.predict() for _ in range(50)} == {200}
    assert "ended with -9 and is replaced" in service.text()


def test_a_worker_that_hangs_is_replaced(start: StartService, packed: bytes):
    service = start(packed, WORKERS="2", STUCK_SECONDS="5")  # the other worker's answer may take seconds
    service.until("/ready", 200)
    victim, other = workers(service, 2)
    victim.send_signal(signal.SIGSTOP)
    assert eventually(lambda: victim.pid not in [process.pid for process in service.children()])
    assert other.pid in [process.pid for process in workers(service, 2)]
    assert {service.predict() for _ in range(50)} == {200}
    assert "has not answered for 5.0 seconds" in service.text()


def test_new_connections_do_not_wait_for_a_worker_that_hangs(start: StartService, packed: bytes):
    """The kernel gives it its share of them. It hangs longer than a client waits, and is not killed meanwhile."""
    service = start(packed, WORKERS="2", STUCK_SECONDS="3600")
    service.until("/ready", 200)
    victim, _ = workers(service, 2)
    victim.send_signal(signal.SIGSTOP)
    assert {service.predict() for _ in range(50)} == {200}
    victim.send_signal(signal.SIGCONT)
    assert {service.predict() for _ in range(50)} == {200}
    assert victim.pid in [process.pid for process in workers(service, 2)]


def test_a_task_that_was_suspended_as_a_whole_keeps_its_workers(start: StartService, packed: bytes):
    service = start(packed, STUCK_SECONDS="4")
    service.until("/ready", 200)
    worker = workers(service, 1)[0]
    processes = [psutil.Process(service.process.pid), worker]
    for process in processes:
        process.suspend()
    time.sleep(4.5)
    for process in processes:
        process.resume()
        time.sleep(0.3)
    assert service.predict() == 200
    time.sleep(4.5)
    assert [process.pid for process in service.children()] == [worker.pid]


def test_a_task_whose_workers_keep_dying_exits(start: StartService, packed: bytes):
    service = start(packed)
    service.until("/ready", 200)
    for _ in range(6):
        for process in workers(service, 1) if service.process.poll() is None else []:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    assert service.exit_code() == 4
    assert "the task exits" in service.text()


def test_no_worker_is_left_when_the_supervisor_is_killed(start: StartService, packed: bytes):
    service = start(packed, WORKERS="2")
    service.until("/ready", 200)
    processes = workers(service, 2)
    service.process.kill()
    assert eventually(lambda: all(has_ended(process) for process in processes))


def begin_prediction(service: Service) -> socket.socket:
    """A connection that has sent the first ten bytes of a body, which a worker is reading."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    head = (
        "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n"
        f"content-length: {len(GOOD)}\r\n\r\n"
    )
    connection.sendall(head.encode() + GOOD[:10].encode())
    assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


@pytest.mark.parametrize("count", [1, 2])
def test_sigterm_finishes_open_requests_and_refuses_new_connections(start: StartService, packed: bytes, count: int):
    """Connections are refused as soon as the other workers have ended, not when the last one has."""
    service = start(packed, WORKERS=str(count), BODY_TIMEOUT_SECONDS="120", SHUTDOWN_SECONDS="110")
    service.until("/ready", 200)
    workers(service, count)
    with begin_prediction(service) as connection:
        service.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: not accepts_connections(service.port))
        workers(service, 1)
        connection.sendall(GOOD[10:].encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert service.exit_code() == 0


def test_a_worker_that_does_not_end_is_killed(start: StartService, packed: bytes):
    service = start(packed, SHUTDOWN_SECONDS="0")
    service.until("/ready", 200)
    stuck = workers(service, 1)[0]
    stuck.send_signal(signal.SIGSTOP)
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0 and "is killed" in service.text()
    assert eventually(lambda: has_ended(stuck))


def test_a_body_that_does_not_arrive_is_answered_408(start: StartService, packed: bytes):
    service = start(packed, BODY_TIMEOUT_SECONDS="0.3")
    service.until("/ready", 200)
    head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    for sent in (head, head + "{"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
            connection.sendall(sent.encode())
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408") and b"connection: close" in answer
            assert connection.recv(4096) == b""


def test_a_port_in_use_is_named(start: StartService, packed: bytes):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = start(packed, PORT=str(port))
        assert service.exit_code() == 2
    assert f"cannot listen on 127.0.0.1:{port}" in service.text()


def test_two_services_cannot_share_a_port(start: StartService, packed: bytes):
    """SO_REUSEPORT alone would let both answer in turn."""
    first = start(packed)
    first.until("/ready", 200)
    assert start(packed, PORT=str(first.port)).exit_code() == 2


def test_the_internal_port(start: StartService, packed: bytes):
    port = free_port()
    service = start(packed, INTERNAL_PORT=str(port))
    service.until("/ready", 200)
    workers(service, 1)
    assert service.client.get("/version").status_code == 404 and service.predict() == 200
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/version")
    assert json.load(connection.getresponse())["workload"] == "texts"
    connection.close()


def test_keys_that_cannot_be_read_end_the_start(start: StartService, packed: bytes):
    service = start(packed, API_KEYS_SECRET="none", AWS_ENDPOINT_URL="http://127.0.0.1:9",
    AWS_DEFAULT_REGION="us-east-1",
                    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")  # fmt: skip
    assert service.exit_code() == 2
    assert "API_KEYS_SECRET" in service.text()


def test_a_batch_does_not_block_single_records(start: StartService, packed: bytes):
    """Counts the single records that are answered during large batches, because no test asserts on seconds."""
    service = start(packed, MAX_BATCH="5000", MAX_BODY_BYTES="1000000")
    service.until("/ready", 200)
    body = f'{{"records": [{", ".join([GOOD] * 5000)}]}}'
    done = threading.Event()
    statuses: list[int] = []

    def batches() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        for _ in range(5):
            connection.request("POST", "/predict/batch", body, JSON)
            answer = connection.getresponse()
            statuses.append(answer.status)
            answer.read()
        done.set()

    thread = threading.Thread(target=batches)
    thread.start()
    singles = 0
    while not done.is_set():
        assert service.predict() == 200
        singles += 1
    thread.join()
    assert statuses == [200] * 5 and singles > 10


def test_no_file_is_left_behind(start: StartService, packed: bytes, tmp_path: Path):
    service = start(packed, TMPDIR=str(tmp_path))
    service.until("/ready", 200)
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0
    assert not list(tmp_path.glob("nightjar-*"))
