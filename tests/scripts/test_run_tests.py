"""``make test`` in a temporary project: the real scripts and the real pytest, with small suites."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePath

import pytest

from scripts import lint
from scripts.run_pytest import SELECTIONS
from scripts.run_tests import TITLES, closing_line, tally
from scripts.steps import HOME, ROOT, Result, Step, run
from scripts.suites import REST, SERVER_SUITES, SUITES, TERRAFORM_FOLDER, module_markers, runtime_of, with_servers

TESTS = """
import pytest

def test_unit():
    pass

@pytest.mark.stack
def test_stack():
    pass
"""
CONFIG = '[tool.pytest.ini_options]\ntestpaths = ["tests"]\nmarkers = ["stack: x", "spark: x", "e2e: x"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One unit test and one stack test in each runtime's first folder and in ``tests/other``."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    for folder in [*(folder for folders in SUITES.values() for folder in folders), "tests/other", TERRAFORM_FOLDER]:
        (tmp_path / folder).mkdir(parents=True)
    for folder in with_tests():
        name = folder.replace("/", "_")
        (tmp_path / folder / f"test_{name}.py").write_text(TESTS)
    (tmp_path / "tests/e2e").mkdir()
    (tmp_path / "tests/e2e/test_e2e.py").write_text("import pytest\n\n@pytest.mark.e2e\ndef test_e2e():\n    pass\n")
    home = tmp_path / "home"
    for name in (*SUITES, "test"):
        (home / "venvs" / name / "bin").mkdir(parents=True)
        (home / "venvs" / name / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (home / "pytest").mkdir()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (home / "pytest" / version).symlink_to(Path(pytest.__file__).parents[1])
    return tmp_path


def with_tests() -> list[str]:
    return [*(folders[0] for folders in SUITES.values()), "tests/other", TERRAFORM_FOLDER]


def environment() -> dict[str, str]:
    """Without pytest's plugins: the small suites need none, and loading them takes most of a process's time."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    return {**inherited, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run_tests(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.run_tests", *arguments],
        cwd=project,
        env={**environment(), "NIGHTJAR_HOME": str(project / "home")},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.stack
def test_every_unit_test_runs_once_and_one_failure_makes_the_whole_fail(project: Path) -> None:
    folder = project / SUITES["serving"][0]
    next(folder.glob("test_*.py")).write_text("def test_unit():\n    import a_package_that_serving_does_not_have\n")
    done = run_tests(project, "--unit")
    assert done.returncode == 1
    assert f" 1 failed, {len(SUITES)} passed in " in done.stdout.splitlines()[-1], done.stdout + done.stderr
    assert "No module named 'a_package_that_serving_does_not_have'" in done.stdout


@pytest.mark.stack
def test_one_runtime_alone_imports_no_module_without_unit_tests(project: Path) -> None:
    marked = "import pytest, a_package_that_glue_does_not_have\npytestmark = pytest.mark.stack\n"
    (project / SUITES["glue"][0] / "test_marked.py").write_text(marked)
    done = run_tests(project, "--runtime", "glue")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 1 passed in " in done.stdout.splitlines()[-1]


@pytest.mark.stack
def test_a_runtime_without_tests_is_an_error(project: Path) -> None:
    next((project / SUITES["laptop"][0]).glob("test_*.py")).unlink()
    done = run_tests(project, "--runtime", "laptop")
    assert done.returncode == 1
    assert " 1 error in " in done.stdout.splitlines()[-1]


@pytest.mark.stack
def test_every_test_belongs_to_exactly_one_suite(project: Path) -> None:
    passed: Counter[str] = Counter()
    for suite in SELECTIONS:
        argv = [sys.executable, "-m", "scripts.run_pytest", suite, str(project / "counts.json"), "-v"]
        done = subprocess.run(argv, cwd=project, env=environment(), capture_output=True, text=True, timeout=60)
        passed.update(line.split(" PASSED")[0] for line in done.stdout.splitlines() if " PASSED" in line)
    modules = [f"{folder}/test_{folder.replace('/', '_')}.py" for folder in with_tests()]
    tests = [f"{module}::{test}" for module in modules for test in ("test_unit", "test_stack")]
    assert passed == Counter([*tests, "tests/e2e/test_e2e.py::test_e2e"])


@pytest.mark.stack
def test_the_whole_runs_every_suite(project: Path) -> None:
    for program in {Path(step.argv[0]).relative_to(HOME) for step in lint.linters().values()}:
        linter = project / "home" / program
        linter.parent.mkdir(parents=True, exist_ok=True)
        if not linter.exists():  # the interpreter of the test environment is there
            linter.symlink_to("/bin/true")
    done = run_tests(project)
    assert all(f"  {title}" in done.stdout for title in TITLES.values()), done.stdout + done.stderr


def test_a_folder_belongs_to_one_runtime_and_exists() -> None:
    folders = [folder for folders in SUITES.values() for folder in folders]
    assert all((ROOT / folder).is_dir() for folder in folders)
    assert [runtime_of(PurePath(folder) / "test_a.py") for folder in folders] == [
        name for name, folders in SUITES.items() for _ in folders
    ]


def test_every_suite_with_servers_runs() -> None:
    assert sorted(SERVER_SUITES) == sorted([REST, *map(with_servers, SUITES)])


def test_a_folder_with_a_similar_name_belongs_to_no_runtime() -> None:
    assert runtime_of(PurePath("tests/serving_other/test_a.py")) is None


@pytest.mark.parametrize(
    ("source", "markers"),
    [
        ("pytestmark = pytest.mark.stack", {"stack"}),
        ("pytestmark = [pytest.mark.spark, pytest.mark.timeout(9)]", {"spark"}),
        ("pytestmark = pytest.mark.timeout(9)", set()),
        ("@pytest.mark.stack\ndef test(): pass", set()),
    ],
)
def test_markers_of_a_whole_module(source: str, markers: set[str]) -> None:
    assert module_markers(source) == markers


def test_all_steps_run_though_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        Step("bad", (sys.executable, "-c", "import sys; print('what is wrong'); sys.exit(3)")),
        Step("good", (sys.executable, "-c", "import os; print(os.environ['GIVEN'])"), {"GIVEN": "a value"}),
    ]
    results = {result.name: result.code for result in run(steps, at_once=1)}
    assert results == {"bad": 3, "good": 0}
    assert "what is wrong" in (output := capsys.readouterr().out) and "a value" in output


def test_the_work_of_a_steps_own_processes_counts() -> None:
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'], check=True)"
    steps = [Step("works", (sys.executable, "-c", work)), Step("idles", (sys.executable, "-c", "pass"))]
    cpu = {result.name: result.cpu_seconds for result in run(steps, at_once=1)}
    assert cpu["works"] > cpu["idles"] > 0


def test_a_linter_counts_as_one_test_and_a_pytest_without_counts_as_an_error(tmp_path: Path) -> None:
    absent = tmp_path / "absent.json"
    assert tally(Result("lint: mypy", 1, 1.0), absent) == Counter(failed=1)
    assert tally(Result("lint: mypy", 0, 1.0), absent) == Counter(passed=1)
    assert tally(Result("unit tests: glue", -9, 1.0), absent) == Counter(error=1)


def test_the_closing_line_reads_like_pytests() -> None:
    line = closing_line(Counter(passed=130, failed=2, error=1, skipped=0), 75.5)
    assert line.strip("= ") == "2 failed, 130 passed, 1 error in 75.50s (0:01:15)"


def test_every_linter_is_installed() -> None:
    missing = [step.argv[0] for step in lint.linters().values() if not Path(step.argv[0]).is_file()]
    assert not missing
