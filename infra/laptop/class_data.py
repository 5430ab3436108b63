"""``python -m infra.laptop.class_data``: makes the archive with which Glue jobs start faster, if a new one is wanted.

With ``--background`` it begins when the machine is idle, or after a quarter of an hour: the first nights after set-up
keep the machine busy, and need no Spark (ADR 70).

Set-up writes a text into ``wanted``. When an archive has been made for it, or could not be made, ``made`` has the same
text. Where it could not be made, there is the file ``failed`` too. What is killed leaves no trace, and is begun again.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from infra.laptop import cloud
from infra.laptop.config import ROOT, LaptopConfig

LOWEST_PRIORITY = 19
CHECK_SECONDS = 60.0
CHECKS = 15
IDLE = 0.5  # the load of a minute, for each processor


def main() -> int:
    """Makes the archive; returns 0, or the exit code of what failed."""
    parser = argparse.ArgumentParser(prog="python -m infra.laptop.class_data", description="Makes Spark's class data.")
    parser.add_argument("--background", action="store_true", help="when the machine is idle, at the lowest priority")
    in_background = parser.parse_args().background
    if in_background:
        leave_the_command()
    config = LaptopConfig.from_env()
    folder = config.home / "class-data"
    if not in_background:
        return make(config, folder)
    with locked(folder / ".background.lock", wait=False) as mine:
        if mine:  # else an earlier command's is waiting
            wait_until_idle(os.getloadavg, time.sleep)
            return make(config, folder)
    return 0


def make(config: LaptopConfig, folder: Path) -> int:
    """Makes the archive that is wanted, unless another process has; returns the exit code of the command."""
    with locked(folder / ".lock", wait=True):
        wanted, made, failed = (folder / name for name in ("wanted", "made", "failed"))
        text = wanted.read_text()
        if made.is_file() and made.read_text() == text:
            return 0
        print("[setup] Spark's class data is being made", flush=True)
        started = time.monotonic()
        code = run_command(config, config.home / "setup-logs" / "class-data.log")
        if code < 0:  # killed
            return 1
        if code:
            failed.touch()
        else:
            failed.unlink(missing_ok=True)
            print(f"[setup] Spark's class data is ready ({time.monotonic() - started:.0f} s)", flush=True)
        made.write_text(text)
        return code


def run_command(config: LaptopConfig, log: Path) -> int:
    """Runs the local cloud's command with the stack's configuration; returns its exit code, negative for a signal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nightjar-class-data-") as name, log.open("w") as output:
        file = Path(name) / "cloud.yaml"
        file.write_text(yaml.safe_dump(cloud.settings(config)))
        argv = [str(config.python("localcloud")), "-m", "infra.localcloud", "class-data", "--config", str(file)]
        return subprocess.run(argv, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False).returncode


@contextmanager
def locked(file: Path, *, wait: bool) -> Iterator[bool]:
    """Holds the lock in the block; False where another process has it and ``wait`` is not set."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            print("[setup] Spark's class data is being made by an earlier command; waiting for it", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield True


def leave_the_command() -> None:
    """Lets go of the command that started this process: its files, its session and its priority.

    Linux may share the processor among sessions first, and a priority then counts within its session only: see
    "autogroup" in https://man7.org/linux/man-pages/man7/sched.7.html.
    """
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    os.nice(LOWEST_PRIORITY)
    with suppress(OSError):  # not on Linux, or a kernel without it
        Path("/proc/self/autogroup").write_text(str(LOWEST_PRIORITY))


def wait_until_idle(load: Callable[[], tuple[float, float, float]], sleep: Callable[[float], None]) -> None:
    """Returns when the machine is idle, after one minute at the earliest and a quarter of an hour at the latest.

    Args:
        load: Returns the load averages of 1, 5 and 15 minutes.
        sleep: Waits for a number of seconds.
    """
    for _ in range(CHECKS):
        sleep(CHECK_SECONDS)
        if load()[0] < IDLE * (os.cpu_count() or 1):
            return


if __name__ == "__main__":
    sys.exit(main())
