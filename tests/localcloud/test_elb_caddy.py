"""The Caddy process: its start, with a program in its place that is slow to listen."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.elb.caddy import Caddy
from infra.localcloud.elb.errors import CaddyError
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.jobs import Runner

pytestmark = pytest.mark.stack

# Binds its admin socket, and listens only half a second later.
SLOW_CADDY = """#!{python}
import json, socket, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def address_string(self):
        return "admin"

class Server(HTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        time.sleep(0.5)

address = json.load(open(sys.argv[sys.argv.index("--config") + 1]))["admin"]["listen"].removeprefix("unix/")
Server(address, Handler).serve_forever()
"""
FAILING_CADDY = """#!{python}
raise SystemExit("no such module: http")
"""


def config_with(program: str, folder: Path) -> Config:
    executable = folder / "caddy-program"
    executable.write_text(program.format(python=sys.executable))
    executable.chmod(0o755)
    return Config(
        state=folder / "state", glue=GlueSettings(python=Path(sys.executable), jars=()), port=14598, caddy=executable
    )


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    config = config_with(SLOW_CADDY, tmp_path)
    runner = Runner(config, RoleIdentity(config))
    yield runner
    runner.close(0.2)


def test_the_first_load_waits_until_caddy_listens(runner: Runner, tmp_path: Path) -> None:
    Caddy(config_with(SLOW_CADDY, tmp_path), runner).load({})


def test_a_failed_start_is_an_error_with_caddys_output(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(CaddyError, match="no such module: http"):
        Caddy(config_with(FAILING_CADDY, tmp_path), runner).load({})


def test_a_killed_caddy_is_started_again_with_its_listeners(runner: Runner, tmp_path: Path) -> None:
    caddy = Caddy(config_with(SLOW_CADDY, tmp_path), runner)
    caddy.load({"listener": {}})
    first = caddy_process()
    first.kill()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (status,) = [part for part in runner.background.status() if part.name == "caddy"]
        if status.state == "ok" and status.restarts:
            break
        time.sleep(0.02)
    assert (status.state, status.restarts) == ("ok", 1)
    assert caddy_process().pid != first.pid


def test_a_caddy_that_cannot_be_started_again_is_dead_in_the_health_check(runner: Runner, tmp_path: Path) -> None:
    config = config_with(SLOW_CADDY, tmp_path)
    Caddy(config, runner).load({"listener": {}})
    config_with(FAILING_CADDY, tmp_path)
    caddy_process().kill()
    deadline = time.monotonic() + 60
    states: dict[str, str] = {}
    wanted = {"caddy": "dead", "caddy-keeper": "failing"}
    while time.monotonic() < deadline and not wanted.items() <= states.items():
        states = {part.name: part.state for part in runner.background.status()}
        time.sleep(0.02)
    assert wanted.items() <= states.items()


def caddy_process() -> psutil.Process:
    (process,) = [
        child for child in psutil.Process().children() if any("caddy-program" in word for word in child.cmdline())
    ]
    return process
