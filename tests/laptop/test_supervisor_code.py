"""A supervisor that runs from before an upgrade of the project is ended with all it runs, before anything else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop import family, postgres, stack, supervisor_code
from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from tests.support.process_ends import has_ended
from tests.support.supervised import start

pytestmark = pytest.mark.stack
SLEEP = "import time; time.sleep(120)"
# Starts a process in the state that is its argument, with the code of the folder in which it runs.
OF_ANOTHER_VERSION = f"""
import os, pathlib, sys
from infra.laptop.processes import Supervisor
state = pathlib.Path(sys.argv[1])
Supervisor(state).start("old", [sys.executable, "-c", "{SLEEP}"], env=dict(os.environ), cwd=state)
"""
# These only name folders and files of the project.
NAMES_OF_FOLDERS = {"infra.laptop.config", "infra.package.tree"}


@pytest.fixture
def config(tmp_path: Path) -> Iterator[LaptopConfig]:
    made = LaptopConfig(home=tmp_path / "home", run=tmp_path / "run")
    made.state.mkdir(parents=True)
    yield made
    stack.stop(made)
    assert family.members(made.state) == []


@pytest.fixture
def old(config: LaptopConfig, tmp_path: Path, request: pytest.FixtureRequest) -> Supervisor:
    """What another version of the project has started: its supervisor differs by what the parameter says."""
    folder = tmp_path / "old"
    for name in ("infra", "include"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "terraform"))
    file, before, after = request.param
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(before, after))
    assert before in text
    command = [sys.executable, "-c", OF_ANOTHER_VERSION, str(config.state)]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, check=True)
    return Supervisor(config.state)


def start_stack(config: LaptopConfig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said until PostgreSQL would be started, which is first."""

    def refuse(*_: object) -> None:
        raise LaptopError("no further")

    monkeypatch.setattr(postgres, "start", refuse)
    said: list[str] = []
    with pytest.raises(LaptopError, match="no further"):
        stack.start(config, said.append)
    return said


WITHOUT_DIGEST = ("infra/laptop/supervisor.py", "supervisor_code.digest())", '"")')
EDITED = ("infra/laptop/starts.py", "FORK_SECONDS = ", "FORK_SECONDS = 1 + ")
MORE_IN_A_RECORD = ("infra/laptop/processes.py", '    detail: str = ""\n', '    detail: str = ""\n    more: str = ""\n')


@pytest.mark.parametrize("old", [WITHOUT_DIGEST, EDITED, MORE_IN_A_RECORD], indirect=True)
def test_it_is_ended_with_what_it_runs_and_that_is_told(
    config: LaptopConfig, old: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, process = old.supervisor(), old.find("old")
    assert watcher is not None and process is not None
    said = start_stack(config, monkeypatch)
    assert said == ["everything again: the supervisor is of another version of the project", "PostgreSQL"]
    assert has_ended(watcher.pid) and has_ended(process.pid) and old.names() == []
    start(old, "new", SLEEP)
    assert not old.has_other_code()


@pytest.mark.parametrize("old", [WITHOUT_DIGEST], indirect=True)
def test_what_it_could_not_read_is_ended_with_it(
    config: LaptopConfig, old: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A specification without a record: the supervisor took it for deleted."""
    (old.pids / "unread.spec.json").write_text('{"a field of this version": 1}')
    start_stack(config, monkeypatch)
    assert old.names() == [] and old.supervisor() is None


def test_one_of_this_version_goes_on(config: LaptopConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(config.state)
    record = start(supervisor, "one", SLEEP)
    assert start_stack(config, monkeypatch) == ["PostgreSQL"]
    assert supervisor.find("one") == record


def test_its_files_are_what_it_imports_of_the_project() -> None:
    command = "import sys, infra.laptop.guard, infra.laptop.supervisor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = {name for name in done.stdout.split() if name.startswith("infra.")}
    packages = {name for name in modules if (ROOT / name.replace(".", "/")).is_dir()}
    files = {f"{name.replace('.', '/')}.py" for name in modules - packages - NAMES_OF_FOLDERS}
    assert files == set(supervisor_code.FILES)
