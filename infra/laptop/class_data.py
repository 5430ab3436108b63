"""``python -m infra.laptop.class_data``: set-up makes the archive with which Glue jobs start faster.

With ``--background`` it begins when the machine is idle: the first nights after set-up keep it busy, and need no Spark.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import yaml

from infra.laptop import cloud
from infra.laptop.config import ROOT, LaptopConfig

LOWEST_PRIORITY = 19
CHECK_SECONDS = 60.0
CHECKS = 15
IDLE = 0.5  # the load of a minute, for each processor


def main() -> int:
    """Runs the local cloud's command with the stack's configuration; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.laptop.class_data", description="Makes Spark's class data.")
    parser.add_argument("--background", action="store_true", help="when the machine is idle, at the lowest priority")
    if parser.parse_args().background:
        give_way()
        wait_until_idle(os.getloadavg, time.sleep)
    config = LaptopConfig.from_env()
    with tempfile.TemporaryDirectory(prefix="nightjar-class-data-") as folder:
        file = Path(folder) / "cloud.yaml"
        file.write_text(yaml.safe_dump(cloud.settings(config)))
        argv = [str(config.python("localcloud")), "-m", "infra.localcloud", "class-data", "--config", str(file)]
        return subprocess.run(argv, cwd=ROOT, check=False).returncode


def give_way() -> None:
    """Gives this process, and those that it starts, a session of their own and the lowest priority.

    Linux may share the processor among sessions first, and a priority then counts within its session only: see
    "autogroup" in https://man7.org/linux/man-pages/man7/sched.7.html.
    """
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
