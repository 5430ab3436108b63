"""The two ways in which the supervisor starts a process: afresh, or forked by a zygote, with which it shares memory.

A zygote is a specified process that has imported what others need. Its stdin is a socket to the supervisor
(``airflow_site/nightjar_laptop/zygote.py`` is the one there is). A process that it has forked is a child of the
supervisor: Linux gives orphans to it. While a zygote still imports, its forks wait. Where none runs, they are started
afresh.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from infra.laptop import family
from infra.laptop.processes import ProcessSpec
from infra.localcloud import linux

IMPORT_SECONDS = 90.0  # after these, its forks wait no longer
FORK_SECONDS = 10.0
_WORD_BYTES = 16


class Process(Protocol):
    """What the supervisor uses of a process, until it has collected it."""

    pid: int

    def send_signal(self, sig: int) -> None:
        """Sends a signal."""
        ...


@dataclass
class Forked:
    """A process that a zygote has forked."""

    pid: int

    def send_signal(self, sig: int) -> None:
        """Sends a signal. The process is not collected yet, so the pid is its own."""
        os.kill(self.pid, sig)


@dataclass
class _Zygote:
    socket: socket.socket
    importing_until: float  # 0 when it has imported everything


class Starts:
    """Starts the processes of one run folder.

    Args:
        state: The run folder.
        wait: Waits so many seconds, or until the descriptor can be read; returns whether it can, as a list. What the
            processes print is copied meanwhile.
    """

    def __init__(self, state: Path, wait: Callable[[float, int], list[int]]) -> None:
        self._wait = wait
        self._marker = {family.MARKER: str(state)}
        self._zygotes: dict[str, _Zygote] = {}

    def start(self, spec: ProcessSpec, output: int) -> Process:
        """Starts a process.

        Args:
            spec: What shall run.
            output: The descriptor into which it prints.

        Raises:
            OSError: It cannot be started.
            KeyError: There is no such user.
            subprocess.SubprocessError: It cannot be started as this user.
        """
        if spec.zygote in self._zygotes and (forked := self._fork(spec, output)):
            return forked
        if not spec.is_zygote:
            return self._start_afresh(spec, output, subprocess.DEVNULL)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            started = self._start_afresh(spec, output, theirs.fileno())
        self._zygotes[spec.name] = _Zygote(ours, time.monotonic() + IMPORT_SECONDS)
        return started

    def waits_until(self, spec: ProcessSpec) -> float:
        """The time of ``time.monotonic`` before which the process is not started, because its zygote imports."""
        zygote = self._zygotes.get(spec.zygote)
        return zygote.importing_until if zygote else 0.0

    def importing(self) -> list[int]:
        """The descriptors of zygotes that can be read when these have imported everything."""
        return [zygote.socket.fileno() for zygote in self._zygotes.values() if zygote.importing_until]

    def look(self) -> None:
        """Reads which zygotes have imported everything."""
        for zygote in self._zygotes.values():
            if zygote.importing_until:
                zygote.socket.setblocking(False)
                try:
                    if zygote.socket.recv(_WORD_BYTES):
                        zygote.importing_until = 0.0
                except OSError:  # not yet; or it has died, and is forgotten in a moment
                    continue

    def forget(self, name: str) -> None:
        """Notes that a process has ended."""
        if zygote := self._zygotes.pop(name, None):
            zygote.socket.close()

    def _start_afresh(self, spec: ProcessSpec, output: int, stdin: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            spec.argv,
            env={**spec.env, **self._marker},
            cwd=spec.cwd,
            user=spec.user,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(linux.die_with, os.getpid(), spec.stop_signal),
        )

    def _fork(self, spec: ProcessSpec, output: int) -> Forked | None:
        """None if the zygote does not answer in time; then it forks nothing any more."""
        zygote = self._zygotes[spec.zygote].socket
        wanted = {
            "argv": spec.argv,
            "env": {**spec.env, **self._marker},
            "cwd": spec.cwd,
            "stop_signal": spec.stop_signal,
            "parent": os.getpid(),
        }
        zygote.setblocking(False)
        deadline = time.monotonic() + FORK_SECONDS
        try:
            socket.send_fds(zygote, [json.dumps(wanted).encode()], [output])
            while not self._wait(left := max(0.0, deadline - time.monotonic()), zygote.fileno()) and left:
                pass
            if pid := int(zygote.recv(_WORD_BYTES) or 0):
                return Forked(pid)
        except (OSError, ValueError):
            pass
        pid = _last_words(zygote)
        self.forget(spec.zygote)
        return Forked(pid) if pid else None


def _last_words(zygote: socket.socket) -> int:
    """The pid that a zygote has sent too late, or 0. From now on it can send none, and so ends what it forks."""
    with suppress(OSError, ValueError):
        zygote.shutdown(socket.SHUT_RD)
        while word := zygote.recv(_WORD_BYTES):
            if word.isdigit() and int(word):
                return int(word)
    return 0
