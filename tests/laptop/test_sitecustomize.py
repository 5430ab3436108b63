"""What exists before a process of Airflow forks for the first time is left out of its searches for garbage."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from infra.laptop.airflow_environment import SITE

# Prints how many objects are left out: before a fork, after it, and after those that the fork makes in turn.
PROGRAM = """
import gc, os
count, asked = gc.get_freeze_count, []
gc.get_freeze_count = lambda: asked.append(1) or count()
print(count(), flush=True)
def fork():
    if pid := os.fork():
        os.waitpid(pid, 0)
    return pid == 0
if fork():
    kept = [[] for _ in range(1000)]
    fork() and os._exit(0)
    print(count(), flush=True)
    also = [[] for _ in range(1000)]
    fork() and os._exit(0)
    print(count(), flush=True)
    os._exit(0)
print(count(), flush=True)
print(len(asked), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_once_in_each_process_that_forks() -> None:
    """Airflow's processes are forks of the zygote, and have more to leave out when they fork themselves."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SITE)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    before, of_fork, of_fork_later, of_parent, asked = map(int, done.stdout.split())
    assert of_parent > before + 1000
    assert of_fork >= of_parent + 1000
    assert of_fork_later < of_fork + 1000
    assert asked == 0, "to count them is to walk over each, which took most of the time of a task's supervisor"
