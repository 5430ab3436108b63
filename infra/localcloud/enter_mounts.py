"""Runs a command in a mount namespace of its own, with folders mounted where a container would see them (Linux).

``python enter_mounts.py '{"parent": <pid>, "mounts": {"/opt/ml": "/folder"}}' command…``. It replaces itself by the
command, so pid, process group and session stay. It imports the standard library only, because it starts with each job.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG = 1


def main(specification: str, command: list[str]) -> None:
    """Enters the namespace and becomes the command."""
    settings = json.loads(specification)
    enter(settings["mounts"])
    os.chdir(Path.cwd())  # the working directory may have got another mount
    die_with(settings["parent"])
    os.execvp(command[0], command)


def enter(mounts: dict[str, str]) -> None:
    """Mounts folders, given by the path at which this process will see them, in a namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    _enter_namespace(libc)
    for target, source in mounts.items():
        _make_mount_point(libc, Path(target))
        _mount(libc, source, target, None, _MS_BIND | _MS_REC)


def die_with(parent: int) -> None:
    """Has the system kill this process when its parent dies. A new user namespace cancels that: call it after."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the local cloud has ended")


def _enter_namespace(libc: ctypes.CDLL) -> None:
    """Makes mounts visible to this process alone. Without the right to it, a user namespace gives that right."""
    if libc.unshare(_CLONE_NEWNS):
        user, group = os.getuid(), os.getgid()
        _check(libc.unshare(_CLONE_NEWNS | _CLONE_NEWUSER), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)


def _make_mount_point(libc: ctypes.CDLL, target: Path) -> None:
    """Makes the folder exist in this namespace only: the disk stays as it is.

    The closest folder that exists is covered by an empty one in memory, with its entries mounted in it again.
    """
    if target.is_dir():
        return
    folder = next(parent for parent in target.parents if parent.is_dir())
    if folder == Path("/"):
        sys.exit(f"{target} cannot be mounted: /{target.parts[1]} does not exist")
    covered = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    entries = sorted(folder.iterdir())
    links = {entry: entry.readlink() for entry in entries if entry.is_symlink()}
    folders = {entry for entry in entries if entry.is_dir()}
    _mount(libc, "tmpfs", str(folder), "tmpfs", 0, "mode=755")
    for entry in entries:
        if entry in links:
            entry.symlink_to(links[entry])
            continue
        if entry in folders:
            entry.mkdir()
        else:
            entry.touch()
        _mount(libc, f"/proc/self/fd/{covered}/{entry.name}", str(entry), None, _MS_BIND | _MS_REC)
    os.close(covered)
    target.mkdir(parents=True)


def _mount(
    libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    result = libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(result, f"mount {source} on {target}")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        sys.exit(f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
