"""The one place where processes are started, watched, timed and ended.

A process gets a session (process group) of its own, a clean environment with its role's credentials, and does not
outlive the server. Whatever it leaves running in its group is killed when it ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from .config import Config
from .identity import Identity
from .logs import LogStream, Tail, ship

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
GRACE_SECONDS = 5.0
DRAIN_SECONDS = 10.0
PR_SET_PDEATHSIG = 1

try:
    _prctl = ctypes.CDLL(None, use_errno=True).prctl
except AttributeError:  # not Linux: a job of a killed server is then left behind
    _prctl = None


@dataclass(frozen=True)
class ExitResult:
    """How a process ended. ``code`` is negative for a signal (subprocess's convention); ``tail`` is its last lines."""

    kind: Literal["exited", "timed_out", "stopped"]
    code: int
    tail: list[str]


class Job:
    """One running or ended process. Made by :meth:`Runner.start` only."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], tail: Tail, address: str | None) -> None:
        self.name = name
        self.address = address
        self.pid = process.pid
        self.started_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.result: ExitResult | None = None
        self._process = process
        self._tail = tail
        self._lock = threading.Lock()
        self._kind: Literal["exited", "timed_out", "stopped"] = "exited"
        self._gone = False
        self._ended = threading.Event()

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self.result.code if self.result else None

    def poll(self) -> ExitResult | None:
        """None while it runs."""
        return self.result

    def wait(self, seconds: float | None = None) -> ExitResult | None:
        """Waits for the end, including ``on_exit``; None when the time was not enough."""
        self._ended.wait(seconds)
        return self.result

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines it printed."""
        return self._tail.last(lines)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Asks the whole group to end (SIGTERM), kills it after ``grace`` seconds. Returns at once; harmless when ended."""
        self._end("stopped", grace)

    def _end(self, kind: Literal["timed_out", "stopped"], grace: float) -> None:
        with self._lock:
            if self._gone or self._kind != "exited":
                return
            self._kind = kind
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._gone:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def _watch(
        self, timeout: float | None, shippers: list[threading.Thread], on_exit: Callable[[ExitResult], None] | None
    ) -> None:
        limit = threading.Timer(timeout, self._end, ["timed_out", GRACE_SECONDS]) if timeout else None
        if limit:
            limit.daemon = True
            limit.start()
        # WNOWAIT leaves the dead leader unreaped, so its group id cannot belong to anyone else while the rest is killed.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        if limit:
            limit.cancel()
        self._signal(signal.SIGKILL)
        with self._lock:
            self._gone = True
            code = self._process.wait()
        for shipper in shippers:
            shipper.join(DRAIN_SECONDS)
        self.ended_at = datetime.now(UTC)
        self.result = ExitResult(self._kind, code, self.log_tail(50))
        try:
            if on_exit:
                on_exit(self.result)
        finally:
            self._ended.set()


class Runner:
    """Starts jobs, and ends those that still run when the server ends."""

    def __init__(self, config: Config, identity: Identity) -> None:
        self._config = config
        self._identity = identity
        # The kernel's parent-death signal is tied to the *thread* that forked: request threads come and go, this one stays.
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")
        self._jobs: set[Job] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        role_arn: str | None,
        log_group: str,
        log_stream: str,
        error_log_group: str | None = None,
        timeout_seconds: float | None = None,
        on_exit: Callable[[ExitResult], None] | None = None,
        address: str | None = None,
    ) -> Job:
        """Starts a process and returns at once; raises OSError when it cannot be started.

        stdout and stderr go to ``log_group/log_stream``, or stderr to ``error_log_group/log_stream`` if one is given.
        ``on_exit`` is called once, in a thread of the job, after its last line was shipped.
        """
        out = LogStream(self._config, log_group, log_stream)
        err = LogStream(self._config, error_log_group, log_stream) if error_log_group else None
        environment = {key: os.environ[key] for key in INHERITED if key in os.environ}
        environment |= self._identity.mint(role_arn) if role_arn else {}
        environment |= dict(env)
        process = self._forker.submit(self._fork, list(argv), cwd, environment, err is not None).result()
        tail = Tail()
        shippers = [
            ship(os.dup(stream.fileno()), log, tail)
            for stream, log in ((process.stdout, out), (process.stderr, err))
            if log
        ]
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        job = Job(name, process, tail, address)
        with self._lock:
            self._jobs.add(job)
            closed = self._closed

        def ended(result: ExitResult) -> None:
            with self._lock:
                self._jobs.discard(job)
            if on_exit:
                on_exit(result)

        threading.Thread(
            target=job._watch, args=[timeout_seconds, shippers, ended], name=f"watch-{name}", daemon=True
        ).start()
        if closed:
            job.stop(0)
        return job

    def close(self, grace: float = GRACE_SECONDS) -> None:
        """Ends every job and waits for them."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        for job in jobs:
            job.stop(grace)
        for job in jobs:
            job.wait(grace + DRAIN_SECONDS)
        self._forker.shutdown()

    @staticmethod
    def _fork(argv: list[str], cwd: Path, env: dict[str, str], separate: bool) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def die_with_parent() -> None:
            if _prctl:
                _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:
                    os.kill(os.getpid(), signal.SIGKILL)

        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if separate else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
