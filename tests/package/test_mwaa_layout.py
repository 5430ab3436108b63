"""A release works where MWAA unpacks it: every DAG loads, and a web server with plugins but without DAGs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from include.workloads import discover
from infra.laptop.free_ports import free_port
from infra.package import release
from infra.package.build import BUILD_FILE
from infra.package.release import PLUGIN_FOLDER, REQUIREMENTS, WHEELS_ONLY
from infra.package.tree import ROOT
from infra.package.wheels import MWAA, fetch
from scripts.steps import HOME
from tests.support.mwaa_layout import AIRFLOW_PYTHON, MwaaLayout

# The first test packs a release, with its wheels.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
PIP_PYTHON = HOME / "uv" / "bin" / "python"
START_SECONDS = 180
LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1])
include = sys.modules["include"].__file__
print(json.dumps({"errors": bag.import_errors, "dags": sorted(bag.dags), "include": include}, default=str))
"""
FIRST_STEP = """
from include.build import BUILD_FILE
from nightjar.build import code_sha
print(code_sha(BUILD_FILE))
"""


MODELS_PAGE = """
import models_page.app, include, sys
assert not {"pandas", "sklearn", "pyarrow", "great_expectations"} & set(sys.modules)
print(include.__file__)
"""


@pytest.fixture(scope="module")
def wheels() -> list[Path]:
    return fetch(ROOT, MWAA, PIP_PYTHON, HOME / "wheels")


@pytest.fixture(scope="module")
def built(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> release.Release:
    return release.build(tmp_path_factory.mktemp("dist"), mwaa_wheels=wheels, glue_wheels=[])


@pytest.fixture
def layout(built: release.Release, tmp_path: Path) -> MwaaLayout:
    return MwaaLayout.unpack(built, tmp_path / "airflow")


def test_every_dag_loads_there_and_nothing_comes_from_the_source_tree(layout: MwaaLayout) -> None:
    done = layout.python(LOAD, str(layout.root / "dags"))
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    kinds = [file.stem for file in (ROOT / "dags").glob("*.py") if file.stem not in ("requeue", "invalid_workloads")]
    expected = {
        f"{workload.name}_{kind}"
        for workload in discover()[0]
        for kind in kinds
        if workload.tables or kind != "ingest_tables"
    }
    assert found["errors"] == {}
    assert expected and expected <= set(found["dags"])
    assert Path(found["include"]).is_relative_to(layout.root)


def test_a_dag_that_does_not_load_is_noticed(layout: MwaaLayout) -> None:
    (layout.root / "dags" / "include" / "settings.py").unlink()
    found = json.loads(layout.python(LOAD, str(layout.root / "dags")).stdout.splitlines()[-1])
    assert "deploy.py" in str(found["errors"])


def test_a_worker_installs_its_requirements_from_the_wheels_alone(layout: MwaaLayout, wheels: list[Path]) -> None:
    """As in a network without a package index, and within the constraints of the image."""
    text = (layout.root / REQUIREMENTS).read_text()
    assert text.startswith(WHEELS_ONLY)
    (layout.root / REQUIREMENTS).write_text(text.replace(PLUGIN_FOLDER, str(layout.root / "plugins")))

    def install() -> subprocess.CompletedProcess[str]:
        constraints = ROOT / "requirements" / "mwaa-constraints.txt"
        return subprocess.run(
            [PIP_PYTHON, "-m", "pip", "install", "--quiet", "--target", layout.root / "site", "--no-cache-dir",
             "--requirement", layout.root / REQUIREMENTS, "--constraint", constraints],
            capture_output=True, text=True, check=False, env={**os.environ, "PIP_INDEX_URL": "file:///nothing"},
        )  # fmt: skip

    done = install()
    assert done.returncode == 0, done.stderr[-3000:]
    installed = {folder.name for folder in (layout.root / "site").glob("*.dist-info")}
    assert installed == {"-".join(wheel.name.split("-")[:2]) + ".dist-info" for wheel in wheels}
    shutil.rmtree(layout.root / "site")
    next((layout.root / "plugins").glob("aioitertools-*.whl")).unlink()
    assert install().returncode != 0, "what a wheel requires must be among the wheels"


def test_the_first_step_of_a_run_refuses_plugins_of_another_build(layout: MwaaLayout) -> None:
    assert layout.python(FIRST_STEP).returncode == 0
    stamp = layout.root / "plugins" / "nightjar" / BUILD_FILE
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "code_sha": "another"}))
    assert "plugins are of build another" in layout.python(FIRST_STEP).stderr
    stamp.unlink()
    assert "Package the code first" in layout.python(FIRST_STEP).stderr


@pytest.fixture
def web_server(layout: MwaaLayout) -> Iterator[str]:
    """The URL of an API server in a layout without DAGs, as MWAA's web server is."""
    shutil.rmtree(layout.root / "dags")
    port = free_port()
    env = layout.environment(
        PYTHONPATH=str(layout.root / "plugins"),
        AIRFLOW__API__HOST="127.0.0.1",
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__API_AUTH__JWT_SECRET="a secret of a test that has at least sixty-four characters in it.",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{layout.root / 'airflow.db'}",
    )
    airflow: list[str | Path] = [AIRFLOW_PYTHON, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=env, cwd=layout.root, capture_output=True, check=True)
    with (layout.root / "server.out").open("wb") as out:
        server = subprocess.Popen(
            [*airflow, "api-server", "--workers", "1"], env=env, cwd=layout.root, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_healthy(url, layout.root / "server.out")
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def wait_healthy(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/api/v2/monitor/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("with_dags", "folder"), [(True, "dags/include"), (False, "plugins/models_page/carried/include")]
)
def test_the_models_page_uses_what_it_carries_only_where_no_dags_are(
    layout: MwaaLayout, with_dags: bool, folder: str
) -> None:
    more = {} if with_dags else {"PYTHONPATH": str(layout.root / "plugins")}
    done = layout.python(MODELS_PAGE, **more)
    assert done.returncode == 0, done.stderr[-3000:]
    assert Path(done.stdout.strip()) == layout.root / folder / "__init__.py"


def test_a_module_that_the_page_does_not_carry_is_noticed(layout: MwaaLayout) -> None:
    (layout.root / "plugins" / "models_page" / "carried" / "include" / "pipelines" / "models" / "rows.py").unlink()
    done = layout.python(MODELS_PAGE, PYTHONPATH=str(layout.root / "plugins"))
    assert "No module named 'include.pipelines.models.rows'" in done.stderr


def test_a_web_server_without_dags_answers_and_loads_the_plugins(web_server: str) -> None:
    token = httpx.get(f"{web_server}/auth/token", timeout=60).json()["access_token"]
    with httpx.Client(base_url=f"{web_server}/api/v2", headers={"Authorization": f"Bearer {token}"}) as api:
        assert api.get("/plugins/importErrors", timeout=60).json() == {"import_errors": [], "total_entries": 0}
        plugins = {plugin["name"] for plugin in api.get("/plugins", timeout=60).json()["plugins"]}
        assert api.get("/dags", timeout=60).json()["total_entries"] == 0
    assert {"nightjar", "nightjar_models_page"} <= plugins
    page = httpx.get(f"{web_server}/nightjar/models/", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert page.status_code == 200 and "<title>Models" in page.text
    listed = httpx.get(f"{web_server}/nightjar/models/api/workloads", timeout=60)
    assert (listed.status_code, listed.json()) == (200, [])
