"""What every Airflow process of the laptop does at its start: garbage is looked for more rarely, and in less."""

from __future__ import annotations

import os
import subprocess
import sys

from infra.laptop.airflow_environment import SITE

CODE = """
import gc, os
count, asked = gc.get_freeze_count, []
gc.get_freeze_count = lambda: asked.append(1) or count()
frozen = [count()]
os.waitpid(os.fork() or os._exit(0), 0)
frozen.append(count())
pid = os.fork()
if pid == 0:
    kept = [object() for _ in range(1000)]
    before = count()
    os.waitpid(os.fork() or os._exit(0), 0)
    os._exit(0 if count() == before else 1)
again = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(frozen[1] > frozen[0] + 1000, again == 0, len(asked))
"""


def test_objects_are_frozen_at_the_first_fork_and_no_fork_counts_them() -> None:
    """To count them is to walk over each of them, which took longer than all else that a task's supervisor does."""
    env = {**os.environ, "PYTHONPATH": str(SITE)}
    done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "True", "0"], done.stderr
