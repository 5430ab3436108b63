"""A run is followed through a restart of Airflow's API server, and only as long as it can go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from rich.console import Console

from infra.airflow_api import AirflowUnreachableError
from infra.laptop.config import LaptopError
from infra.laptop.free_ports import free_port
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow, health

pytestmark = pytest.mark.stack
ANSWERS: dict[str, Any] = {
    "/auth/token": {"access_token": "x"},
    "/api/v2/monitor/health": {"scheduler": {"status": "healthy"}},
}


class Api:
    """An HTTP server in the place of Airflow's, with one run. It can be stopped and started again on its port."""

    def __init__(self) -> None:
        self.state = "running"
        self.tasks: list[dict[str, Any]] = []
        self.asked: list[str] = []  # the last part of each request's path
        self.port = free_port()
        self.start()

    def start(self) -> None:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                run = {"state": api.state, "duration": 1.0}
                path = self.path.split("?")[0]
                tasks = {"task_instances": api.tasks}
                api.asked.append(path.rsplit("/", 1)[-1])
                answer = ANSWERS.get(path) or (tasks if path.endswith("taskInstances") else run)
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.stop()


def client(api: Api) -> Airflow:
    return Airflow(f"http://127.0.0.1:{api.port}", timeout=5)


def test_a_restart_of_the_api_server_does_not_end_the_wait(api: Api) -> None:
    airflow = client(api)
    rounds = iter(range(100))

    def watch() -> None:
        match next(rounds):
            case 1:
                api.stop()
            case 3:
                api.state = "success"
                api.start()

    airflow.watch = watch
    assert airflow.follow("a", "run", Reporter(Console(quiet=True))).state == "success"
    assert next(rounds) >= 4


def test_the_watch_ends_the_wait(api: Api) -> None:
    airflow = client(api)

    def watch() -> None:
        raise LaptopError("airflow-scheduler is dead")

    airflow.watch = watch
    with pytest.raises(LaptopError, match="airflow-scheduler is dead"):
        airflow.follow("a", "run", Reporter(Console(quiet=True)))


def test_a_look_at_a_run_with_an_active_task_is_one_request(api: Api) -> None:
    airflow = client(api)
    task = {"task_id": "t", "map_index": -1, "state": "running", "end_date": None, "duration": 1.0}
    api.tasks, looks = [task], 0

    def watch() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            assert api.asked == ["taskInstances", "taskInstances"]
            api.tasks, api.state = [task | {"state": "success"}], "success"

    airflow.watch = watch
    api.asked.clear()
    assert airflow.follow("a", "run", Reporter(Console(quiet=True))).tasks == {"t": "success"}
    assert api.asked[2:] == ["taskInstances", "run", "taskInstances"]


def test_an_api_server_that_does_not_answer_is_an_error_and_not_a_traceback(api: Api) -> None:
    airflow = client(api)
    assert health(airflow.url) == ANSWERS["/api/v2/monitor/health"]
    api.stop()
    with pytest.raises(AirflowUnreachableError, match=r"does not answer at http.*make restart WHAT=api-server"):
        airflow.runs("a")
    assert health(airflow.url) is None
    api.start()


def test_another_program_on_airflows_port_is_not_taken_for_airflow(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "/auth/token", {"hello": "world"})
    with pytest.raises(AirflowUnreachableError, match="Does another program use the port"):
        client(api)
