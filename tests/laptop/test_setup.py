"""scripts/setup.sh in a project of its own: real bash and real Python, a uv that only writes down what it is asked."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("airflow", "glue", "training", "serving", "localcloud", "laptop", "test")
UV = """#!/bin/sh
echo "$@" >> "{log}"
for last do :; done
case "$*" in
  venv*) mkdir -p "$last/bin" && ln -sf "{python}" "$last/bin/python" ;;
  *laptop.txt*) [ ! -f "{broken}" ] || {{ echo "no such package" >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose environments are all set up."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    (tmp_path / "requirements").mkdir()
    for name in (*ENVIRONMENTS, "uv", "data"):
        (tmp_path / "requirements" / f"{name}.txt").write_text("")
        stamp(tmp_path, name)
    uv = tmp_path / "home" / "uv" / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV.format(log=tmp_path / "uv.log", python=sys.executable, broken=tmp_path / "broken"))
    uv.chmod(0o755)
    (uv.parent / "python").symlink_to(sys.executable)
    for name in ENVIRONMENTS:
        (tmp_path / "home" / "venvs" / name / "bin").mkdir()
        (tmp_path / "home" / "venvs" / name / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def stamp_of(project: Path, name: str) -> Path:
    home = project / "home"
    folder = {"uv": home / "uv", "data": home / "data"}.get(name, home / "venvs" / name)
    return folder / ".stamp"


def stamp(project: Path, name: str) -> None:
    file = stamp_of(project, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(hashlib.sha256((project / "requirements" / f"{name}.txt").read_bytes()).hexdigest() + "\n")


def setup(project: Path, what: str = "run", **environ: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "NIGHTJAR_HOME": str(project / "home"), **environ}
    return subprocess.run([project / "scripts" / "setup.sh", what], env=env, capture_output=True, text=True, timeout=60)


def asked_of_uv(project: Path) -> list[str]:
    log = project / "uv.log"
    return log.read_text().splitlines() if log.exists() else []


def test_a_second_run_does_nothing(project: Path) -> None:
    done = setup(project, "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert asked_of_uv(project) == []


def test_run_does_not_need_the_test_environment(project: Path) -> None:
    stamp_of(project, "test").unlink()
    assert setup(project, "run").stdout == ""
    assert "test is ready" in setup(project, "test").stdout


def test_changed_requirements_bring_only_their_environment_up_to_date_in_place(project: Path) -> None:
    (project / "requirements" / "serving.txt").write_text("# changed\n")
    assert setup(project).returncode == 0
    assert [line.split()[:2] for line in asked_of_uv(project)] == [["pip", "sync"]]
    assert "--require-hashes" in asked_of_uv(project)[0] and "serving.txt" in asked_of_uv(project)[0]
    assert setup(project).stdout == ""


def test_an_interrupted_environment_is_made_anew(project: Path) -> None:
    stamp_of(project, "glue").unlink()
    assert setup(project).returncode == 0
    assert [line.split()[0] for line in asked_of_uv(project)] == ["venv", "pip"]
    assert "--clear" in asked_of_uv(project)[0]


def test_a_failed_installation_shows_its_log_and_is_taken_up_again(project: Path) -> None:
    stamp_of(project, "laptop").unlink()
    (project / "broken").touch()
    failed = setup(project)
    assert failed.returncode == 1
    assert "no such package" in failed.stderr and "laptop" in failed.stderr
    (project / "broken").unlink()
    assert "laptop is ready" in setup(project).stdout


def test_a_shim_that_does_not_run_is_passed_over_for_a_pyenv_version(project: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python3.12", "python3", "python"):
        (shims / name).write_text("#!/bin/sh\necho 'pyenv: version not active' >&2\nexit 127\n")
        (shims / name).chmod(0o755)
    version = tmp_path / "pyenv" / "versions" / "3.12.99" / "bin"
    version.mkdir(parents=True)
    (version / "python").symlink_to(sys.executable)
    stamp_of(project, "serving").unlink()
    done = setup(project, PATH=f"{shims}:/usr/bin:/bin", PYENV_ROOT=str(tmp_path / "pyenv"), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"Python 3.12: {Path(sys.executable).resolve().parent}" in done.stdout


@pytest.mark.skipif(
    any(Path(folder, "python3.12").exists() for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")),
    reason="a Python 3.12 lies where the search cannot be kept away from it",
)
def test_without_a_python_it_says_what_to_do(project: Path, tmp_path: Path) -> None:
    stamp_of(project, "serving").unlink()
    done = setup(
        project, PATH="/usr/bin:/bin", PYENV_ROOT=str(tmp_path / "none"), HOME=str(tmp_path), UV_PYTHON_INSTALL_DIR=""
    )
    assert done.returncode == 1
    assert "Python 3.12 was not found" in done.stderr and "pyenv install 3.12" in done.stderr
