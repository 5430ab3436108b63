"""Folders that one process alone sees at a path of its container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.localcloud import mounts
from tests.support.localcloud import Cloud
from tests.support.process_ends import has_ended

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(mounts.refusal() is not None, reason=f"no mounts on this machine: {mounts.refusal()}"),
]


def run(code: str, mounted: dict[str, Path], **options: object) -> subprocess.CompletedProcess[str]:
    argv = mounts.command([sys.executable, "-c", code], mounted)
    return subprocess.run(argv, capture_output=True, text=True, cwd=options.get("cwd"))  # type: ignore[call-overload]


def test_the_process_writes_to_its_folder_and_nobody_else_sees_the_path(tmp_path: Path) -> None:
    before = sorted(path.name for path in Path("/opt").iterdir())
    code = (
        "import os, pathlib; pathlib.Path('/opt/ml/model').mkdir(); pathlib.Path('/opt/ml/model/a').write_text('x');"
        "print(sorted(os.listdir('/opt')))"
    )
    result = run(code, {"/opt/ml": tmp_path})
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "model" / "a").read_text() == "x"
    assert (tmp_path / "model" / "a").stat().st_uid == os.getuid()
    assert eval(result.stdout) == sorted({*before, "ml"})
    assert sorted(path.name for path in Path("/opt").iterdir()) == before


def test_what_lies_beside_the_mount_stays_readable(tmp_path: Path) -> None:
    mounted, other = tmp_path / "mounted", tmp_path / "parent"
    mounted.mkdir()
    (other / "folder").mkdir(parents=True)
    (other / "folder" / "file").write_text("in a folder")
    (other / "file").write_text("plain")
    (other / "link").symlink_to("file")
    names = [f"{other}/{name}" for name in ("folder/file", "file", "link")]
    code = f"import pathlib; [print(pathlib.Path(name).read_text()) for name in {names}]"
    result = run(code, {f"{other}/new/deep": mounted}, cwd=other)
    assert result.stdout.splitlines() == ["in a folder", "plain", "plain"], result.stderr
    assert not (other / "new").exists()


def test_exit_code_arguments_and_network_are_those_of_the_command(tmp_path: Path) -> None:
    code = (
        "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "socket.create_connection(s.getsockname()).close(); sys.exit(7)"
    )
    assert run(code, {"/opt/ml": tmp_path}).returncode == 7


def test_pid_and_group_are_those_of_the_started_process(tmp_path: Path) -> None:
    argv = mounts.command([sys.executable, "-c", "import os; print(os.getpid(), os.getpgid(0))"], {"/opt/ml": tmp_path})
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.communicate()[0].split() == [str(process.pid)] * 2


def test_the_process_dies_with_its_parent(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from infra.localcloud import mounts\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "argv = mounts.command([sys.executable, '-c', 'import time; time.sleep(60)'], {'/opt/ml': folder})\n"
        "print(subprocess.Popen(argv).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    child = Path("/proc") / process.stdout.readline().strip()

    def has_begun() -> bool:
        command = (child / "cmdline").read_bytes()
        return b"sleep" in command and b"enter_mounts" not in command

    Cloud.wait_until(has_begun)
    process.kill()
    process.wait()
    Cloud.wait_until(lambda: has_ended(int(child.name)))


def test_a_missing_program_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mounts.command(["/no/such/program"], {"/opt/ml": tmp_path})


def test_a_machine_without_mounts_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mounts, "refusal", lambda: "unshare: Operation not permitted")
    assert mounts.command(["true"], {}) == ["true"]
    with pytest.raises(mounts.MountError, match="unshare: Operation not permitted"):
        mounts.command(["true"], {"/opt/ml": tmp_path})
