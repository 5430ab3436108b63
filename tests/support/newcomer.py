"""docs/workload.md as a newcomer follows it: its commands, in a fresh clone, to a live prediction of a third workload.

``python -m tests.support.newcomer`` (``make newcomer``) prints when each command had ended, and the answer. The
environments and the data packages are those of this tree, so they are present. The stack has ports of
its own; it is stopped at the end, and its folder is deleted, unless something failed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra.laptop.free_ports import free_port
from tests.support.product_home import HOME, ROOT

PAGE = Path("docs", "workload.md")
LINKED = ("venvs", "uv", "jars", "class-data", "native")
AIM_MINUTES = 10
_ADDRESS = re.compile(r"127\.0\.0\.1:80(\d\d)")


def commands(root: Path = ROOT) -> list[str]:
    """Returns the commands of the page's first block."""
    block = (root / PAGE).read_text().split("```")[1]
    return [line.partition("  #")[0].strip() for line in block.splitlines() if line.strip()]


def clone(folder: Path) -> None:
    """Clones this tree's commit, and links what set-up has installed."""
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    home = folder / ".nightjar"
    (home / "data").mkdir(parents=True)
    for name in LINKED:
        (home / name).symlink_to(HOME / name)
    for data in (HOME / "data").iterdir():
        (home / "data" / data.name).symlink_to(data)


def follow(folder: Path, ports: tuple[int, int, int]) -> tuple[float, dict[str, object]]:
    """Runs the page's commands, one after the other.

    Args:
        folder: The clone.
        ports: Of Airflow, the AWS endpoint and the first service; the services of all workloads have the next ones.

    Returns:
        Seconds until the prediction, and the answer.
    """
    airflow, cloud, service = map(str, ports)
    own = {"NIGHTJAR_AIRFLOW_PORT": airflow, "NIGHTJAR_CLOUD_PORT": cloud, "NIGHTJAR_SERVICE_PORT": service}
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "NIGHTJAR_"))} | own
    started, answer = time.monotonic(), ""
    for command in commands(folder):
        arguments = shlex.split(_ADDRESS.sub(lambda found: f"127.0.0.1:{ports[2] + int(found[1])}", command))
        if predicts := arguments[0] == "curl":
            arguments += ["--silent", "--show-error", "--fail-with-body"]
        pipe = subprocess.PIPE if predicts else None
        done = subprocess.run(arguments, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=pipe, check=True)
        answer = (done.stdout or b"").decode()
        sys.stdout.write(f"{time.monotonic() - started:7.1f} s  {command}\n")
        sys.stdout.flush()
    return time.monotonic() - started, json.loads(answer)


def main() -> int:
    """Follows the page; 1 if it does not end with a prediction."""
    folder = Path(tempfile.mkdtemp(prefix="nightjar-newcomer-"), "nightjar")
    clone(folder)
    try:
        seconds, answer = follow(folder, (free_port(), free_port(), free_port(following=9)))
    except (subprocess.CalledProcessError, ValueError) as error:
        sys.stdout.write(f"{error}\nThe clone is {folder}; `make stop` there stops its stack.\n")
        return 1
    finally:
        subprocess.run(["make", "stop"], cwd=folder, check=False)
    sys.stdout.write(
        f"{json.dumps(answer)}\n{seconds / 60:.1f} minutes to a live prediction; the aim is {AIM_MINUTES}\n"
    )
    shutil.rmtree(folder.parent)
    return 0 if answer.get("prediction") in (0, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
