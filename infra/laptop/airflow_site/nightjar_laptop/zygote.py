"""Imports Airflow once, then forks its processes from that: they share the memory of what is imported (Linux).

The laptop's supervisor starts it with a socket as stdin. It says there when it has imported everything. For each
process the supervisor sends a specification and the descriptor for the output, and gets a pid. The fork is an orphan
when it begins, so it becomes a child of the supervisor (``infra/laptop/starts.py``), as if it had been started afresh.

It imports libraries only, nothing of the project and no plugin: who edits these and restarts a process gets the edit.
It connects to nothing. Each fork makes its engines of SQLAlchemy from its own environment.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from setproctitle import getproctitle, setproctitle

from infra.localcloud import linux

# What at least two of Airflow's processes import, or what takes the API server longest.
MODULES = (
    "airflow.api_fastapi.app",
    "airflow.api_fastapi.core_api.routes.public",
    "airflow.api_fastapi.core_api.routes.ui",
    "airflow.api_fastapi.execution_api.app",
    "airflow.cli.cli_parser",
    "airflow.cli.commands.api_server_command",
    "airflow.dag_processing.manager",
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.providers_manager",
    "uvicorn.protocols.http.httptools_impl",
)
READY = b"ready"
FAILED = b"0"  # instead of a pid
MESSAGE_BYTES = 256 * 1024


def make_engines() -> None:
    """Makes this process's engines of SQLAlchemy: those of the zygote have its settings."""
    from airflow import settings

    settings.configure_orm()


def main(modules: Sequence[str] = MODULES, prepare: Callable[[], None] = make_engines) -> None:
    """Imports, and forks until the supervisor ends. In a fork, it becomes the process that the supervisor wants.

    Args:
        modules: What to import.
        prepare: Called in a fork that has its environment.
    """
    for name in modules:
        importlib.import_module(name)
    if threading.active_count() > 1:  # a thread may hold a lock that a fork would wait for
        sys.exit(f"One of {', '.join(modules)} has started a thread, so nothing is forked")
    server = socket.socket(fileno=os.dup(0))
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)  # gets the lowest free number, 0
    getproctitle()  # finds out where the title is, which it cannot in a fork with another environment
    gc.collect()
    server.send(READY)
    while True:
        message, descriptors, *_ = socket.recv_fds(server, MESSAGE_BYTES, 1)
        if not message:
            return
        wanted, output = json.loads(message), descriptors[0]
        if fork_orphan(server):
            server.close()
            become(wanted, output)
            prepare()
            run(wanted["argv"])
            return
        os.close(output)


def fork_orphan(server: socket.socket) -> bool:
    """Forks a process whose parent ends at once, and sends its pid. True in the fork, when its parent has ended.

    A fork whose pid cannot be sent ends before it has done anything: the supervisor has started another one meanwhile.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    between = os.fork()
    if between:
        if os.waitpid(between, 0)[1]:
            with suppress(OSError):  # the supervisor waits no more, which the next look at the socket tells
                server.send(FAILED)
        return False
    try:
        between = os.getpid()
        reader, writer = os.pipe()
        if pid := os.fork():
            server.send(str(pid).encode())
            os.write(writer, b".")
            os._exit(0)
        os.close(writer)
        if not os.read(reader, 1):
            os._exit(1)
        os.close(reader)
    except BaseException as error:
        os.write(2, f"A process cannot be forked: {error}\n".encode())
        os._exit(1)
    while os.getppid() == between:
        time.sleep(0.001)
    return True


def become(wanted: dict[str, Any], output: int) -> None:
    """Gives this process the session, the output, the environment and the folder of one that was started afresh."""
    os.setsid()
    linux.die_with(wanted["parent"], wanted["stop_signal"])
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["cwd"])


def run(argv: list[str]) -> None:
    """Runs ``python -m <module> …`` in this process."""
    setproctitle(" ".join(argv))
    sys.argv = argv[2:]
    runpy.run_module(argv[2], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
