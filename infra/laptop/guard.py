"""``python -m infra.laptop.guard STATE``: runs the supervisor, and ends what that leaves when it is killed.

The guard is the supervisor's parent, so the system tells it of the death, and on Linux what the supervisor started
becomes a child of the guard. A stop signal from the system would not be enough: nobody reads what the processes print
any more, so one that logs while it ends fails and may hang; Airflow's scheduler waits for its tasks; and workers get no
signal at all.

The guard holds the lock of the run folder until all is gone, so a new supervisor starts nothing before that. When the
guard itself is killed, the supervisor ends (on Linux), and all processes with it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from infra.localcloud import linux

LOCK = "supervisor.lock"
GRACE_SECONDS = 10.0
ROUNDS = 5  # a process may have started another one while it was killed


def main(state: Path) -> int:
    """Guards the supervisor of the run folder, unless another one runs already."""
    os.umask(0o077)
    with (state / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        linux.adopt_orphans()
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "infra.laptop.supervisor", str(state)],
            pass_fds=(lock.fileno(),),  # the lock lasts as long as one of the two
            start_new_session=True,
            preexec_fn=partial(linux.die_with, os.getpid(), signal.SIGTERM),
        )
        if code := supervisor.wait():
            print(f"the supervisor ended with exit code {code}; ending what it has left", file=sys.stderr, flush=True)
            end_processes(state)
    return 0


def end_processes(state: Path) -> None:
    """Ends every process of the run folder: by its stop signal, and by SIGKILL when that is not enough."""
    from infra.laptop import family  # late, so that a guard that only waits needs little memory
    from infra.laptop.processes import Supervisor

    processes = Supervisor(state)
    processes.end(processes.running(), timeout=GRACE_SECONDS)
    for _ in range(ROUNDS):
        if left := family.members(state, [os.getpid()]):
            family.kill(left)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
