"""The zygote has imported Airflow and nothing that a fork must not share: no thread, no connection, no engine.

The test needs Airflow, as ``test_executor.py`` does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from infra.laptop import family
from infra.laptop.airflow import POLLING
from infra.laptop.airflow_environment import SITE
from infra.laptop.config import ROOT
from infra.laptop.processes import Supervisor
from tests.support.supervised import until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a supervisor"),
]
# Where it is imported: in the zygote, it notes what a fork would share.
WATCHER = """
import os
made = []
def before():
    import threading
    from airflow import settings
    made[:] = [threading.active_count(), len(os.listdir("/proc/self/task")), settings.engine.pool.checkedin()]
os.register_at_fork(before=before)
"""
FORKED = """
import ssl, sys, time
import watcher
from airflow import settings
print("threads and connections", watcher.made)
print("airflow", "airflow.api_fastapi.execution_api.app" in sys.modules)
print("project", [name for name in sys.modules if name.split(".")[0] in ("include", "nightjar", "dags")])
print("asks first", settings.engine.pool._pre_ping)
with settings.engine.connect() as connection:
    print("answer", connection.exec_driver_sql("select 40 + 2").scalar())
print("trusts", len(ssl.create_default_context().get_ca_certs()) >= 0, flush=True)
time.sleep(120)
"""
PROGRAM = "import watcher; from nightjar_laptop.zygote import main; main()"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "watcher.py").write_text(WATCHER)
    (tmp_path / "forked.py").write_text(FORKED)
    made = Supervisor(tmp_path)
    yield made
    made.stop(*(record.name for record in made.records()))
    assert family.members(tmp_path) == []


def has_ended(log: Path) -> bool:
    """Whether the fork has printed all."""
    return log.exists() and "trusts" in log.read_text()


def test_a_fork_has_airflow_and_engines_with_its_own_settings(supervisor: Supervisor) -> None:
    home = supervisor.state / "airflow"
    home.mkdir()
    env = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PYTHONPATH": f"{ROOT}:{SITE}:{supervisor.state}",
    }
    supervisor.start("zygote", [sys.executable, "-c", PROGRAM], env=env, cwd=home, is_zygote=True)
    for name, own in (("asking", {}), ("polling", POLLING)):
        command = [sys.executable, "-m", "forked"]
        record = supervisor.start(name, command, env={**env, **own}, cwd=home, zygote="zygote")
        log = Path(record.log)
        until(partial(has_ended, log))
        assert log.read_text().splitlines()[-6:] == [
            "threads and connections [1, 1, 0]",
            "airflow True",
            "project []",
            f"asks first {name == 'asking'}",
            "answer 42",
            "trusts True",
        ]
