"""A zygote that answers too late starts nothing twice, and holds up nothing but what it should fork (Linux)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.laptop import starts
from infra.laptop.airflow_environment import SITE
from infra.laptop.config import ROOT
from infra.laptop.output_pipes import OutputPipes
from infra.laptop.processes import ProcessSpec
from infra.laptop.starts import Forked, Starts
from tests.support.supervised import until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a supervisor"),
]
# The supervisor has stopped to listen before its request is read.
LATE = """
import os, socket
from nightjar_laptop.zygote import fork_orphan
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
theirs.shutdown(socket.SHUT_RD)
if fork_orphan(ours):
    print("the fork runs", flush=True)
    os._exit(0)
print("the zygote goes on", flush=True)
"""
SILENT = "import time; time.sleep(120)"
# Its pid comes behind a word that is none, after which the supervisor waits no more.
AT_LAST = """
import os, socket, time
server = socket.socket(fileno=0)
server.send(b"ready")
server.send(str(os.getpid()).encode())
print("sent", flush=True)
time.sleep(120)
"""


def specification(folder: Path, name: str, code: str, *, zygote: str = "") -> ProcessSpec:
    command, env = [sys.executable, "-c", code], {"PATH": os.environ["PATH"]}
    return ProcessSpec(name, command, env, str(folder), None, signal.SIGTERM, "", zygote, is_zygote=not zygote)


def test_a_fork_whose_pid_nobody_gets_does_nothing() -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{SITE}"}
    done = subprocess.run([sys.executable, "-c", LATE], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "the zygote goes on\n"


def test_what_processes_print_is_copied_while_a_fork_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "FORK_SECONDS", 0.5)
    output = OutputPipes()
    _, writer = output.open(tmp_path / "another.log")
    os.write(writer, b"a line\n")
    made = Starts(tmp_path, output.copy)
    with (tmp_path / "output").open("wb") as sink:
        zygote = made.start(specification(tmp_path, "zygote", SILENT), sink.fileno())
        afresh = made.start(specification(tmp_path, "one", SILENT, zygote="zygote"), sink.fileno())
    assert isinstance(zygote, subprocess.Popen) and isinstance(afresh, subprocess.Popen)
    for process in (zygote, afresh):
        process.kill()
        process.wait()
    os.close(writer)
    assert (tmp_path / "another.log").read_text() == "a line\n"


def test_a_pid_that_comes_at_the_last_moment_counts(tmp_path: Path) -> None:
    made = Starts(tmp_path, OutputPipes().copy)
    with (tmp_path / "output").open("wb") as sink:
        zygote = made.start(specification(tmp_path, "zygote", AT_LAST), sink.fileno())
        until(lambda: (tmp_path / "output").read_text() == "sent\n")
        forked = made.start(specification(tmp_path, "one", SILENT, zygote="zygote"), sink.fileno())
    assert isinstance(zygote, subprocess.Popen)
    zygote.kill()
    zygote.wait()
    assert forked == Forked(zygote.pid)
