"""scripts/setup.sh in a temporary project: real bash and Python, and a uv that only records its arguments."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("airflow", "glue", "training", "serving", "localcloud", "laptop", "scan", "sbom", "tracking", "test")
OTHERS = ("uv", "jars", "pytest", "native")
WALK = Path("include", "model", "engines", "forest_walk.c")
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
    """A project with every environment set up, in a folder whose name has a space."""
    root = tmp_path / "my project"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", root / "scripts")
    (root / "requirements").mkdir()
    for name in {*ENVIRONMENTS, *OTHERS} - {"native"}:
        (root / "requirements" / f"{name}.txt").write_text("")
    (root / WALK).parent.mkdir(parents=True)
    shutil.copy(ROOT / WALK, root / WALK)
    for name in (*ENVIRONMENTS, *OTHERS):
        stamp(root, name)
    (root / "home" / "class-data").mkdir()
    for name in ("wanted", "made"):
        (root / "home" / "class-data" / name).write_text("this Spark\n")
    uv = root / "home" / "uv" / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV.format(log=root / "uv.log", python=sys.executable, broken=root / "broken"))
    uv.chmod(0o755)
    (uv.parent / "python").symlink_to(sys.executable)
    for name in ENVIRONMENTS:
        (root / "home" / "venvs" / name / "bin").mkdir()
        (root / "home" / "venvs" / name / "bin" / "python").symlink_to(sys.executable)
    return root


def stamp_of(project: Path, name: str) -> Path:
    home = project / "home"
    return (home if name in OTHERS else home / "venvs") / name / ".stamp"


def stamp(project: Path, name: str) -> None:
    file = stamp_of(project, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    source = project / WALK if name == "native" else project / "requirements" / f"{name}.txt"
    file.write_text(hashlib.sha256(source.read_bytes()).hexdigest() + "\n")


def setup(project: Path, what: str = "run", **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NIGHTJAR_HOME": str(project / "home"), **environ}
    return subprocess.run([project / "scripts" / "setup.sh", what], env=env, capture_output=True, text=True, timeout=60)


def uv_calls(project: Path) -> list[str]:
    log = project / "uv.log"
    return log.read_text().splitlines() if log.exists() else []


def test_a_second_run_does_nothing(project: Path) -> None:
    done = setup(project, "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert uv_calls(project) == []


def test_run_needs_neither_the_test_environment_nor_pytest(project: Path) -> None:
    stamp_of(project, "test").unlink()
    stamp_of(project, "pytest").unlink()
    assert setup(project, "run").stdout == ""
    done = setup(project, "test").stdout
    assert "test is ready" in done and "pytest is ready" in done


def test_pytest_is_installed_beside_the_environments(project: Path) -> None:
    stamp_of(project, "pytest").unlink()
    assert setup(project, "test").returncode == 0
    targets = {line.split("--target ")[1].split(" --require-hashes")[0] for line in uv_calls(project)}
    assert str(project / "home" / "pytest" / "3.12") in targets
    assert all("--require-hashes" in line and "pytest.txt" in line for line in uv_calls(project))


def test_changed_requirements_update_only_their_environment_in_place(project: Path) -> None:
    (project / "requirements" / "serving.txt").write_text("# changed\n")
    assert setup(project).returncode == 0
    assert [line.split()[:2] for line in uv_calls(project)] == [["pip", "sync"]]
    assert "--require-hashes" in uv_calls(project)[0] and "serving.txt" in uv_calls(project)[0]
    assert setup(project).stdout == ""


def class_data_module(project: Path, code: str) -> Path:
    """Makes the module that set-up calls; the code has ``folder``, that of the class data. Returns that folder."""
    module = project / "infra" / "laptop" / "class_data.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    begin = "import os, pathlib, sys, time\nfolder = pathlib.Path(os.environ['NIGHTJAR_HOME'], 'class-data')\n"
    module.write_text(begin + code)
    return project / "home" / "class-data"


MADE = "(folder / 'made').write_text((folder / 'wanted').read_text()); print('made', *sys.argv[1:])"


def test_class_data_is_made_again_with_another_spark_before_the_tests(project: Path) -> None:
    folder = class_data_module(project, MADE)
    assert setup(project, "test").stdout == ""
    (project / "requirements" / "glue.txt").write_text("# another Spark\n")
    assert "made\n" in setup(project, "test").stdout
    first = (folder / "made").read_text()
    stamp_of(project, "jars").unlink()
    (project / "scripts" / "unpack.py").write_text("")
    assert "made\n" in setup(project, "test").stdout, "the JVM refuses an archive that was made with other jar files"
    assert (folder / "made").read_text() != first
    assert setup(project, "test").stdout == ""


def test_class_data_is_no_condition_of_the_set_up(project: Path) -> None:
    failing = "(folder / 'failed').touch()\n" + MADE + "\nraise SystemExit(1)"
    (class_data_module(project, failing) / "made").unlink()
    done = setup(project, "test")
    assert done.returncode == 0 and "Glue jobs start slowly" in done.stdout
    assert setup(project, "test").stdout == "", "it is said once"


def test_the_first_nights_do_not_wait_for_class_data(project: Path) -> None:
    waits = "while not (folder / 'go').exists(): time.sleep(0.05)\n"
    folder = class_data_module(project, waits + "assert sys.argv[1:] == ['--background']\n" + MADE)
    (folder / "made").unlink()
    try:
        done = setup(project)  # it would wait for whoever has its output
        assert (done.returncode, done.stdout) == (0, "")
        assert not (folder / "made").exists()
    finally:
        (folder / "go").touch()
    deadline = time.monotonic() + 60
    while not (folder / "made").exists():
        assert time.monotonic() < deadline, "it was not made in the background"
        time.sleep(0.05)


def test_a_set_up_of_an_earlier_version_has_its_class_data_made_again(project: Path) -> None:
    folder = class_data_module(project, MADE)
    for name in ("wanted", "made"):
        (folder / name).unlink()
    assert setup(project, "test").stdout == "made\n"


def test_a_release_needs_no_class_data(project: Path) -> None:
    folder = class_data_module(project, MADE)
    (folder / "made").unlink()
    stamp(project, "tracking")
    assert setup(project, "tracking").stdout == ""
    assert not (folder / "made").exists()


@pytest.mark.skipif(not shutil.which("cc") and not os.environ.get("CI"), reason="there is no C compiler")
def test_the_engine_is_compiled_into_the_environments_that_score(project: Path) -> None:
    packages = [project / "home" / "venvs" / name / "lib/python3.12/site-packages" for name in ("training", "serving")]
    for folder in packages:
        folder.mkdir(parents=True)
    stamp_of(project, "serving").unlink()
    assert "the engine native is compiled" in setup(project).stdout
    for folder in packages:
        code = "import nightjar_walk; print(nightjar_walk.Forest.__name__)"
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout == "Forest\n"
    assert setup(project).stdout == ""


@pytest.mark.skipif(not shutil.which("cc") and not os.environ.get("CI"), reason="there is no C compiler")
def test_the_compiler_has_no_warning_for_the_engine() -> None:
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-isystem", sysconfig.get_path("include")]
    done = subprocess.run([*command, str(ROOT / WALK)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_compiler_the_set_up_goes_on_and_says_so(project: Path) -> None:
    stamp_of(project, "native").unlink()
    done = setup(project, CC="/nowhere/cc")
    assert done.returncode == 0 and "models of trees are served by ONNX Runtime" in done.stdout
    assert setup(project).stdout == ""


def test_an_incomplete_environment_is_created_anew(project: Path) -> None:
    stamp_of(project, "glue").unlink()
    assert setup(project).returncode == 0
    assert [line.split()[0] for line in uv_calls(project)] == ["venv", "pip"]
    assert "--clear" in uv_calls(project)[0]


def test_a_failed_installation_shows_its_log_and_is_repeated_by_the_next_run(project: Path) -> None:
    stamp_of(project, "laptop").unlink()
    (project / "broken").touch()
    failed = setup(project)
    assert failed.returncode == 1
    assert "no such package" in failed.stderr and "laptop" in failed.stderr
    (project / "broken").unlink()
    assert "laptop is ready" in setup(project).stdout


def test_a_pyenv_version_is_used_when_its_shim_does_not_run(project: Path, tmp_path: Path) -> None:
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
    reason="a system Python 3.12 is found whatever PATH says",
)
def test_the_error_without_a_python_names_ways_to_install_one(project: Path, tmp_path: Path) -> None:
    stamp_of(project, "serving").unlink()
    done = setup(
        project, PATH="/usr/bin:/bin", PYENV_ROOT=str(tmp_path / "none"), HOME=str(tmp_path), UV_PYTHON_INSTALL_DIR=""
    )
    assert done.returncode == 1
    assert "Python 3.12 was not found" in done.stderr and "pyenv install 3.12" in done.stderr


def workload(project: Path, name: str, history: str) -> None:
    """Adds a workload folder with a history."""
    folder = project / "include" / "workloads" / name / "history"
    folder.mkdir(parents=True)
    (folder / "history.toml").write_text(history)


PACKAGE = "[package]\n"  # an empty one: nothing is downloaded


def test_a_history_without_a_package_needs_no_set_up(project: Path) -> None:
    workload(project, "orders", "first_day = 2013-01-01\n")
    assert (setup(project).stdout, setup(project, "test").stdout) == ("", "")


def test_the_histories_of_all_workloads_are_fetched_once(project: Path) -> None:
    shutil.copy(ROOT / "scripts" / "fetch_history.py", project / "scripts")
    shutil.copy(ROOT / "scripts" / "unpack.py", project / "scripts")
    workload(project, "shop", f"first_day = 2013-01-01\n{PACKAGE}")
    workload(project, "ads", f"first_day = 2013-01-01\n{PACKAGE}")
    done = setup(project)
    assert done.returncode == 0, done.stderr
    assert "the data of shop are ready" in done.stdout and "the data of ads are ready" in done.stdout
    assert (setup(project).stdout, setup(project, "test").stdout) == ("", "")
    (project / "include" / "workloads" / "ads" / "history" / "history.toml").write_text(
        f"first_day = 2013-01-02\n{PACKAGE}"
    )
    again = setup(project).stdout
    assert "the data of ads are ready" in again and "shop" not in again


def test_a_history_that_cannot_be_fetched_stops_nothing_else(project: Path) -> None:
    shutil.copy(ROOT / "scripts" / "fetch_history.py", project / "scripts")
    shutil.copy(ROOT / "scripts" / "unpack.py", project / "scripts")
    workload(project, "shop", PACKAGE)
    workload(project, "ads", f"{PACKAGE}this is not TOML\n")
    stamp_of(project, "laptop").unlink()
    done = setup(project)
    assert done.returncode == 0
    assert "laptop is ready" in done.stdout and "the data of shop are ready" in done.stdout
    assert (
        "the data of the workload ads could not be fetched" in done.stderr and "ads/history/history.toml" in done.stderr
    )
    assert "ads" in setup(project).stderr, "the next command tries again"
