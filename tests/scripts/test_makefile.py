"""The Makefile passes variables on as they were given, and lists every target."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Makefile").read_text()


def make(*arguments: str, folder: Path = ROOT) -> list[str]:
    """Runs a target whose command only prints its arguments, one a line."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "NIGHTJAR_"))}
    argv = ["make", "-s", "-o", "setup", "-C", str(folder), "LAPTOP=printf '%s\\n'", *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        """select "a b", 'c' from t where d = '2013-06-20' and e like '%x'""",
        "select * from t; -- $HOME `id` \\ #x",
        "it''s",
    ],
)
def test_a_query_arrives_as_it_was_typed(sql: str) -> None:
    assert make("query", f"SQL={sql}") == ["query", f"--sql={sql}"]


def test_variables_become_options() -> None:
    assert make("process", "WORKLOAD=flights", "DATE=2013-06-20") == [
        "process",
        "--workload=flights",
        "--date=2013-06-20",
    ]
    assert make("deploy", "WORKLOAD=a", "VERSION=previous", "RELEASE_HOLD=1")[-1] == "--release-hold"
    assert make("process") == ["process"]
    assert make("status", "JSON=1") == ["status", "--json"]
    assert make("logs", "WHAT=scheduler", "LINES=5", "FOLLOW=1") == [
        "logs",
        "--what=scheduler",
        "--lines=5",
        "--follow",
    ]
    assert make("airflow", "ARGS=dags list --output 'a b'") == ["airflow", "--", "dags", "list", "--output", "a b"]


def test_every_target_is_listed_and_phony() -> None:
    targets = set(re.findall(r"^([a-z-]+):(?!=)", TEXT, re.MULTILINE))
    database = subprocess.run(["make", "-npq", "-C", str(ROOT), "help"], capture_output=True, text=True, check=False)
    phony = set(re.findall(r"^\.PHONY: (.*)$", database.stdout, re.MULTILINE)[0].split())
    assert targets == phony
    listed = {line.split()[1] for line in make("help")}
    assert listed == targets - {"setup", "setup-test", "setup-sdk"}


def test_the_path_of_the_project_may_contain_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "my project"
    setup = folder / "scripts" / "setup.sh"
    python = folder / ".nightjar" / "venvs" / "laptop" / "bin" / "python"
    for program in (setup, python):
        program.parent.mkdir(parents=True)
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        program.chmod(0o755)
    shutil.copy(ROOT / "Makefile", folder)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "NIGHTJAR_"))}

    def run(target: str) -> list[str]:
        done = subprocess.run(["make", "-s", target], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert run("status") == ["scripts/setup.sh", "run", str(python), "-m", "infra.laptop", "status"]
    assert run("stop") == [str(python), "-m", "infra.laptop", "stop"]
    test = folder / ".nightjar" / "venvs" / "test" / "bin" / "python"
    test.parent.mkdir(parents=True)
    test.symlink_to(python)
    for target in ("test", "test-unit", "lint", "chaos-cloud", "newcomer", "bench-loop", "bench-cloud"):
        assert str(test) in run(target)
