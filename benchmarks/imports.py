"""Measures how long a process that has imported Airflow takes to import each DAG file.

The DAG processor parses a file, and a task starts, in a fork of a process that has imported Airflow. So this module is
executed in Airflow's environment, imports Airflow once and forks twice for each DAG file. The first fork warms the disk
cache and writes bytecode; the second is measured.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).parents[1]
# What a worker has imported before it gets a task, and what the DAG processor has imported.
IMPORTED = ("airflow.sdk.execution_time.task_runner", "airflow.serialization.serialized_objects")
# Any valid settings will do, because no DAG file connects to AWS when it is imported.
SETTINGS = {
    "NIGHTJAR_RAW_BUCKET": "nj-raw",
    "NIGHTJAR_LAKE_BUCKET": "nj-lake",
    "NIGHTJAR_ARTIFACT_BUCKET": "nj-artifact",
    "NIGHTJAR_TRAINING_IMAGE": "training:1",
    "NIGHTJAR_TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/training",
    "NIGHTJAR_SERVING_IMAGE": "serving:1",
    "NIGHTJAR_ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
}


def measure(python: Path, folder: Path = ROOT / "dags") -> dict[str, float]:
    """The seconds of the warm import of each DAG file.

    Raises:
        BenchmarkError: A file cannot be imported; the text has its traceback.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as home:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        env |= {**SETTINGS, "AIRFLOW_HOME": home, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
        argv = [str(python), "-m", "benchmarks.imports", str(folder)]
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"The DAG files in {folder} cannot be imported. Fix this error:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def forked(path: Path) -> float:
    """The seconds that a fork of this process takes to import the file."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            begin = time.perf_counter()
            module = ModuleType(f"dag_file_{path.stem}")
            module.__file__ = str(path)
            SourceFileLoader(module.__name__, str(path)).exec_module(module)
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
        raise SystemExit(f"{path} cannot be imported")
    return float(answer)


def main(folder: Path) -> None:
    """Prints the seconds by file name as JSON."""
    for name in IMPORTED:
        importlib.import_module(name)
    print(json.dumps({path.name: [forked(path) for _ in range(2)][-1] for path in sorted(folder.glob("*.py"))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
