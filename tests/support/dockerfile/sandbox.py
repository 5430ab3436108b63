"""Runs a command in a root folder, in namespaces of its own, as an engine runs a container."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Bind:
    """A file or folder of this machine at a place in the root."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Sandbox:
    """A root folder and how a process in it runs.

    Attributes:
        root: Its folder.
        environment: All of its environment variables.
        workdir: Its working directory.
        user: Numeric ``uid:gid``.
        read_only: Whether the root cannot be written to; ``/tmp`` then is a file system of its own.
        binds: What else is mounted.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    read_only: bool = False
    binds: tuple[Bind, ...] = ()

    def start(self, command: Sequence[str], output: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Starts a command as process 1 of a PID namespace. It ends when this process's child ends."""
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "/bin/sh", "-ec", self._script(command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def run(self, command: Sequence[str], seconds: float = 600) -> tuple[int, str]:
        """Runs a command to its end; returns its exit code and its output."""
        with self.start(command) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            finally:
                process.kill()
        return process.returncode, output.decode(errors="replace")

    def _script(self, command: Sequence[str]) -> str:
        """The mounts and the change of root, in the shell of this machine."""
        root = shlex.quote(str(self.root))
        lines = [f"mount --bind {root} {root}", f"mkdir -p {root}/proc {root}/dev {root}/tmp"]
        if self.read_only:
            lines.append(f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp")
        lines += [f"mount -t tmpfs -o mode=755 tmpfs {root}/dev", f"mkdir -m 1777 {root}/dev/shm"]
        lines += [f"touch {root}/dev/{name}; mount --bind /dev/{name} {root}/dev/{name}" for name in _DEVICES]
        for bind in self.binds:
            source, target = shlex.quote(str(bind.source)), f"{root}{shlex.quote(bind.target)}"
            lines.append(
                f"mkdir -p {target}"
                if bind.source.is_dir()
                else f"mkdir -p $(dirname {target}); [ -e {target} ] || touch {target}"
            )
            lines.append(f"mount --bind {source} {target}")
            if bind.read_only:
                lines.append(f"mount -o remount,bind,ro {target}")
        lines.append(f"mount -t proc proc {root}/proc")
        if self.read_only:
            lines.append(f"mount -o remount,bind,ro {root}")
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        inside = ["/usr/bin/env", "-i", *variables, "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *command]
        user = [f"--userspec={self.user}", "--groups="]
        lines.append(shlex.join(["exec", "chroot", *user, str(self.root), *inside]))
        return "\n".join(lines)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def missing_right() -> str | None:
    """Why this machine cannot run a sandbox, or None."""
    if os.name != "posix" or not Path("/proc/self/ns/mnt").exists():
        return "the instructions of a Dockerfile can be executed on Linux only"
    if os.geteuid():
        return "chroot and mount need root: run the tests with sudo"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"this machine lets root make no mounts: {tried.stderr.strip()}" if tried.returncode else None
