"""infra/localcloud/jobs.py, identity.py and logs.py, in this process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends

from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.errors import AssumeRoleError
from infra.localcloud.glue.failure import error_message
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.jobs import ExitResult, Job, Runner
from infra.localcloud.logs import TAIL_LINES
from tests.support.localcloud import Cloud
from tests.support.process_ends import has_ended

pytestmark = pytest.mark.stack

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
GROUP = "/test/jobs"


@pytest.fixture(scope="module", autouse=True)
def role() -> None:
    """The role of the jobs, which trusts no service."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam_backends[ACCOUNT]["aws"].create_role("job", trust, "/", None, "", [], None)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path, glue=GlueSettings(python=Path(sys.executable), jars=()), port=14599)


@pytest.fixture
def runner(config: Config) -> Iterator[Runner]:
    runner = Runner(config, RoleIdentity(config))
    yield runner
    runner.close(0.2)


def start(runner: Runner, tmp_path: Path, code: str, **options: Any) -> Job:
    settings = {"env": {}, "role_arn": ROLE, "log_group": GROUP, "log_stream": tmp_path.name}
    return runner.start("job", [sys.executable, "-c", code], cwd=tmp_path, **{**settings, **options})


def ended(job: Job) -> ExitResult:
    """The result of a job that ends by itself within seconds."""
    result = job.wait(60)
    assert result is not None, "the job still runs"
    return result


def logged(group: str, stream: str) -> list[str]:
    return [event.message for event in logs_backends[ACCOUNT]["us-east-1"].groups[group].streams[stream].events]


def test_the_environment_is_clean_and_carries_the_role(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-server's-own")
    monkeypatch.setenv("SM_MODEL_DIR", "x")
    job = start(
        runner,
        tmp_path,
        "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))",
        env={"GIVEN": "yes"},
    )
    assert ended(job).code == 0
    seen = dict(line.split("=", 1) for line in logged(GROUP, tmp_path.name))
    assert seen["GIVEN"] == "yes"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:14599"
    assert seen["AWS_SESSION_TOKEN"]
    assert "the-server's-own" not in seen.values()
    allowed = {"PATH", "HOME", "LANG", "TMPDIR", "GIVEN", "LC_CTYPE"} | {
        name for name in seen if name.startswith("AWS_")
    }
    assert set(seen) <= allowed


def test_a_minted_key_leads_back_to_its_role(config: Config) -> None:
    identity = RoleIdentity(config)
    key = identity.principals.key(identity.mint(ROLE)["AWS_ACCESS_KEY_ID"])
    assert key is not None
    assert key.principal.identity_arn == ROLE
    assert identity.principals.key("AKIAUNKNOWNUNKNOWN12") is None


def test_a_role_that_does_not_exist_or_trusts_nobody_is_not_assumed(config: Config) -> None:
    identity = RoleIdentity(config)
    with pytest.raises(AssumeRoleError, match="does not exist"):
        identity.mint(f"arn:aws:iam::{ACCOUNT}:role/absent")
    with pytest.raises(AssumeRoleError, match=r"allows principal 'glue\.amazonaws\.com'"):
        identity.mint(ROLE, service="glue.amazonaws.com")


def test_result_and_logs_are_there_when_on_exit_is_called(runner: Runner, tmp_path: Path) -> None:
    seen: list[Any] = []
    code = """import sys
print('one'); print('', flush=True); print('two', file=sys.stderr); sys.stdout.write('end'); sys.exit(3)
"""
    job = start(runner, tmp_path, code, on_exit=lambda result: seen.append((result, logged(GROUP, tmp_path.name))))
    result = ended(job)
    assert (result.kind, result.code, job.returncode) == ("exited", 3, 3)
    assert seen[0][0] == result
    assert sorted(seen[0][1]) == [" ", "end", "one", "two"]
    assert "two" in job.log_tail(10)
    assert job.ended_at and job.ended_at >= job.started_at
    assert (tmp_path / "logs" / "test" / "jobs" / tmp_path.name).read_text().count("\n") == 4


def test_stderr_can_have_a_group_of_its_own(runner: Runner, tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    start(runner, tmp_path, code, error_log_group="/test/errors").wait(60)
    assert logged(GROUP, tmp_path.name) == ["out"]
    assert logged("/test/errors", tmp_path.name) == ["err"]


# A Python traceback, then a long Java stack trace, and meanwhile more output than a tail keeps.
SPARK_FAILURE = """
import sys
print('Traceback (most recent call last):', file=sys.stderr)
print('Py4JJavaError: An error occurred while calling o1.parquet.', file=sys.stderr)
print(': java.nio.file.AccessDeniedException: s3a://raw', file=sys.stderr)
for number in range(400):
    print(f'\\tat org.apache.spark.Frame.call({number})', file=sys.stderr)
    print(f'row {number}', flush=True)
for number in range(3000):
    print(f'more {number}')
print('\\t... 18 more', file=sys.stderr)
sys.exit(1)
"""


def test_the_tail_of_stderr_is_not_displaced_by_stdout(runner: Runner, tmp_path: Path) -> None:
    job = start(runner, tmp_path, SPARK_FAILURE, error_log_group="/test/errors")
    assert ended(job).code == 1
    assert error_message(job.log_tail(TAIL_LINES), 1) == (
        "Py4JJavaError: An error occurred while calling o1.parquet. : java.nio.file.AccessDeniedException: s3a://raw"
        " (exit code 1)"
    )


# A parent that ignores SIGTERM, and a child in its process group.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
time.sleep(60)
"""


def assert_gone(pid: int) -> None:
    """Fails unless the process ends; a killed one may take a moment."""
    Cloud.wait_until(lambda: has_ended(pid))


def child_of(job: Job) -> psutil.Process:
    """The process whose pid the job prints."""
    return psutil.Process(int(Cloud.wait_until(lambda: job.log_tail(1))[0]))


def test_stop_kills_the_whole_group_after_the_grace(runner: Runner, tmp_path: Path) -> None:
    job = start(runner, tmp_path, STUBBORN)
    child = child_of(job)
    job.stop(grace=0.2)
    assert ended(job).kind == "stopped"
    assert job.returncode == -9
    assert_gone(child.pid)


def test_a_time_limit_kills_the_whole_group(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.localcloud.jobs.GRACE_SECONDS", 0.2)
    job = start(runner, tmp_path, STUBBORN, timeout_seconds=10)  # a busy machine needs seconds to start the child
    child = child_of(job)
    assert ended(job).kind == "timed_out"
    assert_gone(child.pid)


def test_what_a_job_leaves_running_is_killed_when_it_ends(runner: Runner, tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    job = start(runner, tmp_path, code)
    assert ended(job).kind == "exited"
    pid = int(job.log_tail(1)[0])
    assert_gone(pid)


def test_stopping_an_ended_job_is_harmless_and_keeps_its_result(runner: Runner, tmp_path: Path) -> None:
    job = start(runner, tmp_path, "pass")
    ended(job)
    job.stop(0)
    assert ended(job).kind == "exited"


def test_a_job_outlives_the_thread_that_started_it(runner: Runner, tmp_path: Path) -> None:
    """The parent-death signal belongs to the forking thread: a request's thread ends long before the job does."""
    started: list[Job] = []
    request = threading.Thread(
        target=lambda: started.append(start(runner, tmp_path, "import time; time.sleep(0.5); print('done')"))
    )
    request.start()
    request.join()
    result = ended(started[0])
    assert (result.kind, result.code) == ("exited", 0)


def test_closing_ends_every_job(config: Config, tmp_path: Path) -> None:
    runner = Runner(config, RoleIdentity(config))
    jobs = [start(runner, tmp_path, "import time; time.sleep(60)", log_stream=str(number)) for number in range(3)]
    runner.close(1)
    results = [job.poll() for job in jobs]
    assert [result and result.kind for result in results] == ["stopped"] * 3
    assert not any(psutil.pid_exists(job.pid) for job in jobs)


def test_an_absent_command_is_an_error_at_the_start(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        runner.start(
            "none",
            ["/no/such/program"],
            cwd=tmp_path,
            env={},
            role_arn=None,
            log_group=GROUP,
            log_stream="none",
        )
