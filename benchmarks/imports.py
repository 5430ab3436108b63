"""How long a process that has Airflow loaded takes to import each DAG file.

A fork of a process with Airflow imported is what the DAG processor parses a file in and what a task starts in. So this file, run
in Airflow's environment, imports Airflow once and forks twice for every DAG file: the first fork warms the disk's cache and
writes byte code, the second is what counts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Any valid settings do: no DAG file may talk to AWS when it is imported.
SETTINGS = {
    "NIGHTJAR_LAKE_BUCKET": "nj-lake",
    "NIGHTJAR_ARTIFACT_BUCKET": "nj-artifact",
    "NIGHTJAR_TRAINING_IMAGE": "training:1",
    "NIGHTJAR_TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/training",
    "NIGHTJAR_SERVING_IMAGE": "serving:1",
    "NIGHTJAR_ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
}


def measure(python: Path, folder: Path = ROOT / "dags") -> dict[str, float]:
    """Seconds of the warm import of each DAG file. Raises RuntimeError with the traceback of a file that cannot be imported."""
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as home:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        env |= {**SETTINGS, "AIRFLOW_HOME": home, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
        argv = [str(python), "-m", "benchmarks.imports", str(folder)]
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The DAG files of {folder} could not be imported:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def forked(path: Path) -> float:
    """Seconds that a fork of this process takes to import the file."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            begin = time.perf_counter()
            spec = importlib.util.spec_from_file_location(f"dag_file_{path.stem}", path)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
            os.write(writer, str(time.perf_counter() - begin).encode())
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise SystemExit(f"{path} could not be imported")
    return float(answer)


def main(folder: Path) -> None:
    """Prints JSON: file name → seconds."""

    print(json.dumps({path.name: [forked(path) for _ in range(2)][-1] for path in sorted(folder.glob("*.py"))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
