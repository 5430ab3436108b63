"""Imports libraries once, then forks a process for each job that uses them (Linux): the interpreter of one image.

``python zygote.py '["pandas", …]'``, with a socket to the local cloud as stdin. The cloud sends four descriptors for
a job: a control socket, its specification, its stdout and its stderr. Only the child reads the specification, so
neither this process nor a later child ever has a job's credentials in its memory. On the control socket the child
sends its pid, and this process the exit code; it keeps the dead child as a zombie until the cloud closes the socket.
This process ends with the cloud, and when it had no job for a while. Standard library only, besides the libraries.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import runpy
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

IDLE_MILLISECONDS = 120_000
READY = b"ready"
_FIRST_UNUSED = 3  # after stdin, stdout and stderr


@dataclass
class Child:
    """A running or dead child: its pid, a descriptor of the process, and the control socket."""

    pid: int
    handle: int
    control: int


def main(modules: list[str]) -> None:
    """Imports the libraries and serves. In a child, it becomes the job."""
    del sys.path[0]  # this file's folder
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:  # the job that needs it will say so
            sys.stderr.write(f"zygote: {error}\n")
    if threading.active_count() > 1:  # a thread may hold a lock that a child would wait for
        sys.exit(f"zygote: one of {', '.join(modules)} started a thread, so no job is forked")
    server = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), 0)
    mounter = _enter_mounts()
    preloaded = sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"})
    gc.collect()
    gc.freeze()  # the pages of what is imported stay shared
    os.write(server, READY)
    if job := _serve(server):
        _become(job, preloaded, mounter)


def _serve(server: int) -> list[int] | None:
    """Forks until the cloud ends, or no job was there for a while: None. In a child: the job's descriptors."""
    poll = select.poll()
    children: dict[int, Child] = {}  # by both of its descriptors
    poll.register(server, select.POLLIN)
    while events := poll.poll(None if children else IDLE_MILLISECONDS):
        for descriptor, _ in events:
            if descriptor != server:
                _follow(poll, children, descriptor)
                continue
            connection = socket.socket(fileno=server)
            message, descriptors, *_ = socket.recv_fds(connection, 1, 4)
            connection.detach()
            if not message:
                return None
            pid = os.fork()
            if pid == 0:
                return descriptors
            child = Child(pid, os.pidfd_open(pid), descriptors[0])
            children[child.handle] = children[child.control] = child
            poll.register(child.handle, select.POLLIN)
            for unused in descriptors[1:]:
                os.close(unused)
    return None


def _follow(poll: select.poll, children: dict[int, Child], descriptor: int) -> None:
    """Reports the end of a child; forgets it when the cloud has closed its socket."""
    child = children[descriptor]
    poll.unregister(descriptor)
    if descriptor == child.handle:
        ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        with suppress(OSError):  # the cloud may no longer want to know
            os.write(child.control, str(code).encode())
        poll.register(child.control, select.POLLIN)
        return
    os.waitpid(child.pid, 0)
    for ours in (child.handle, child.control):
        del children[ours]
        os.close(ours)


def _become(job: list[int], preloaded: list[str], mounter: Any) -> None:
    """Makes this child the job, with nothing of the zygote but its modules."""
    control, specification, out, err = job
    os.setsid()
    os.write(control, str(os.getpid()).encode())
    with open(specification, "rb", closefd=False) as file:
        wanted = json.load(file)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(_FIRST_UNUSED, 2**31 - 1)  # the sockets of the cloud and of other jobs
    coerced = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}  # Python's own, at its start
    os.environ.clear()
    os.environ.update(coerced | wanted["env"])
    time.tzset()
    if wanted["mounts"]:
        mounter.enter(wanted["mounts"])
    os.chdir(wanted["cwd"])
    mounter.die_with(wanted["parent"])
    _run(wanted["argv"], preloaded)


def _run(argv: list[str], preloaded: list[str]) -> None:
    """Runs ``python -m module …`` or ``python script …`` as the interpreter would."""
    is_module = argv[1] == "-m"
    first = str(Path.cwd()) if is_module else str(Path(argv[1]).resolve().parent)
    paths = [first, *(path for path in os.environ.get("PYTHONPATH", "").split(":") if path)]
    brought = (PathFinder.find_spec(name, paths) for name in preloaded)
    if any(spec is not None and spec.loader is not None for spec in brought):
        os.execv(argv[0], argv)  # the job brings its own version of a library: a fresh interpreter finds that
    sys.path[:0] = paths
    sys.argv = argv[2:] if is_module else argv[1:]
    random.seed()
    if seed := getattr(sys.modules.get("numpy.random"), "seed", None):
        seed()
    if os.environ.get("PYTHONUNBUFFERED"):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    if is_module:
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(argv[1], run_name="__main__")


def _enter_mounts() -> Any:
    """The module beside this file, whose folder is not on the path of jobs."""
    spec = spec_from_file_location("enter_mounts", Path(__file__).with_name("enter_mounts.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
