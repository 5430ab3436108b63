"""The parent and its processes: ready only when proven, replaced when killed, ended in order, never left behind."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from include.model import bundle
from tests.serving.cases import GOOD
from tests.serving.conftest import Service
from tests.support.bundles import text_files

pytestmark = pytest.mark.stack
Start = Callable[..., Service]
JSON = {"content-type": "application/json"}


@pytest.fixture
def packed() -> bytes:
    return bundle.pack(text_files())


def children(service: Service) -> list[psutil.Process]:
    return psutil.Process(service.process.pid).children()


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def settled(service: Service, count: int) -> list[psutil.Process]:
    """The serving processes, once the waiting room has closed."""
    assert eventually(lambda: len(children(service)) == count), children(service)
    return children(service)


def predict(service: Service) -> int:
    """The status of a prediction on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        connection.request("POST", "/predict", GOOD, JSON)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def silent_s3() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def loading(start: Start, endpoint: str) -> Service:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    return start(b"", BUNDLE_URI="s3://bucket/key", AWS_ENDPOINT_URL=endpoint, **keys)


def test_it_is_alive_but_not_ready_while_it_loads(start: Start, silent_s3: str):
    service = loading(start, silent_s3)
    assert service.until("/health", 200).json() == {"status": "alive"}
    answer = service.client.get("/ready")
    assert answer.status_code == 503 and answer.json() == {"ready": False, "reason": "the bundle is being loaded"}
    assert answer.headers["retry-after"] == "1"
    answer = service.client.post("/predict", content=GOOD, headers=JSON)
    assert answer.status_code == 503 and "being loaded" in answer.json()["error"] and answer.json()["request_id"]
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0


def test_ready_says_why_not(start: Start, packed: bytes):
    service = start(packed, WORKLOAD="others", EXIT_DELAY_SECONDS="30")
    assert eventually(lambda: "is of workload texts" in service.until("/ready", 503).json()["reason"])
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0


def test_every_process_serves_and_memory_is_shared(start: Start, packed: bytes):
    service = start(packed, WORKERS="4")
    service.until("/ready", 200)
    processes = settled(service, 4)
    assert {predict(service) for _ in range(100)} == {200}
    requests = service.client.get("/metrics").text
    assert 'route="/predict"' in requests
    shares = [process.memory_full_info() for process in processes]
    assert sum(share.pss for share in shares) < 0.75 * sum(share.rss for share in shares)


def test_a_killed_process_is_replaced(start: Start, packed: bytes):
    service = start(packed, WORKERS="2")
    service.until("/ready", 200)
    victim = settled(service, 2)[0]
    victim.send_signal(signal.SIGKILL)
    assert eventually(lambda: victim.pid not in [process.pid for process in children(service)])
    settled(service, 2)
    assert {predict(service) for _ in range(50)} == {200}
    assert "another takes its place" in service.text()


def test_a_process_that_hangs_is_replaced(start: Start, packed: bytes):
    service = start(packed, WORKERS="2", STUCK_SECONDS="1")
    service.until("/ready", 200)
    victim, other = settled(service, 2)
    victim.send_signal(signal.SIGSTOP)
    assert eventually(lambda: victim.pid not in [process.pid for process in children(service)])
    assert other.pid in [process.pid for process in settled(service, 2)]
    assert {predict(service) for _ in range(50)} == {200}
    assert "has not answered for 1.0 seconds" in service.text()


def test_a_task_that_was_stopped_as_a_whole_kills_nobody(start: Start, packed: bytes):
    service = start(packed, STUCK_SECONDS="1")
    service.until("/ready", 200)
    everybody = [psutil.Process(service.process.pid), *settled(service, 1)]
    for process in everybody:
        process.suspend()
    time.sleep(1.5)
    for process in everybody:
        process.resume()
        time.sleep(0.3)
    assert predict(service) == 200
    time.sleep(1.5)
    assert [process.pid for process in children(service)] == [everybody[1].pid]


def test_a_task_whose_processes_keep_dying_gives_up(start: Start, packed: bytes):
    service = start(packed)
    service.until("/ready", 200)
    for _ in range(6):
        for process in settled(service, 1) if service.process.poll() is None else []:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    assert service.exit_code() == 4
    assert "the task gives up" in service.text()


def test_nothing_is_left_when_the_parent_is_killed(start: Start, packed: bytes):
    service = start(packed, WORKERS="2")
    service.until("/ready", 200)
    processes = settled(service, 2)
    service.process.kill()
    assert eventually(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))


def test_sigterm_finishes_what_is_under_way(start: Start, packed: bytes):
    """A request whose body is still coming when the signal arrives is answered; a new connection is not taken any more."""
    service = start(packed)
    service.until("/ready", 200)
    settled(service, 1)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(GOOD)}\r\n\r\n"
        connection.sendall(head.encode() + GOOD[:10].encode())
        time.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(GOOD[10:].encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert service.exit_code() == 0


def test_a_process_that_does_not_end_is_killed(start: Start, packed: bytes):
    service = start(packed, SHUTDOWN_SECONDS="0")
    service.until("/ready", 200)
    stuck = settled(service, 1)[0]
    stuck.send_signal(signal.SIGSTOP)
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0 and "is killed" in service.text()
    assert eventually(lambda: not stuck.is_running() or stuck.status() == "zombie")


def test_a_body_that_does_not_come_is_answered_408(start: Start, packed: bytes):
    service = start(packed, BODY_TIMEOUT_SECONDS="0.3")
    service.until("/ready", 200)
    head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    for sent in (head, head + "{"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
            connection.sendall(sent.encode())
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408") and b"connection: close" in answer
            assert connection.recv(4096) == b""


def test_a_port_that_is_taken_is_named(start: Start, packed: bytes):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = start(packed, PORT=str(port))
        assert service.exit_code() == 2
    assert f"cannot listen on 127.0.0.1:{port}" in service.text()


def test_another_service_is_not_joined_on_its_port(start: Start, packed: bytes):
    """Sockets that share a port would let two services answer in turn."""
    first = start(packed)
    first.until("/ready", 200)
    assert start(packed, PORT=str(first.port)).exit_code() == 2


def test_the_internal_listener(start: Start, packed: bytes):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    service = start(packed, INTERNAL_PORT=str(port))
    service.until("/ready", 200)
    settled(service, 1)
    assert service.client.get("/version").status_code == 404 and predict(service) == 200
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/version")
    assert json.load(connection.getresponse())["workload"] == "texts"
    connection.close()


def test_keys_that_cannot_be_read_end_the_start(start: Start, packed: bytes, silent_s3: str):
    service = start(packed, API_KEYS_SECRET="none", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_DEFAULT_REGION="us-east-1",
                    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")  # fmt: skip
    assert service.exit_code() == 2
    assert "API_KEYS_SECRET" in service.text()


def test_a_batch_does_not_hold_up_single_records(start: Start, packed: bytes):
    """While large batches are in work, single records are answered: counted, since no test asserts on seconds."""
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
        assert predict(service) == 200
        singles += 1
    thread.join()
    assert statuses == [200] * 5 and singles > 10


def test_no_file_is_left_behind(start: Start, packed: bytes, tmp_path: Path):
    service = start(packed, TMPDIR=str(tmp_path))
    service.until("/ready", 200)
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0
    assert not list(tmp_path.glob("nightjar-*"))
