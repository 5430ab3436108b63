"""Jobs that are forked from an interpreter: what they share with it, and that they share nothing with each other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from moto.iam.models import iam_backends

from infra.localcloud import mounts, zygote
from infra.localcloud.config import Config, GlueSettings, Preload
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.jobs import ExitResult, Job, Runner
from tests.support.localcloud import Cloud
from tests.support.process_ends import has_ended

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="jobs are forked on Linux only"),
]

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/forked"
GROUP = "/test/forked"
PRELOAD = Preload(modules=("yaml",), env={"OF_THE_IMAGE": "yes"})
IS_FORK = "'yaml' in __import__('sys').modules"


@pytest.fixture(scope="module", autouse=True)
def role() -> None:
    """The role of the jobs."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam_backends[ACCOUNT]["aws"].create_role("forked", trust, "/", None, "", [], None)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    config = Config(
        state=tmp_path_factory.mktemp("state"), glue=GlueSettings(python=Path(sys.executable), jars=()), port=14598
    )
    runner = Runner(config, RoleIdentity(config))
    yield runner
    runner.close(0.2)


def start(runner: Runner, folder: Path, code: str, *, arguments: tuple[str, ...] = (), **options: Any) -> Job:
    """Starts a script as a job that may be forked."""
    folder.mkdir(exist_ok=True)
    (folder / "job.py").write_text(code)
    settings = {"env": PRELOAD.env, "role_arn": ROLE, "log_group": GROUP, "log_stream": str(folder)[1:]}
    argv = [sys.executable, str(folder / "job.py"), *arguments]
    return runner.start("job", argv, cwd=folder, **{"preload": PRELOAD, **settings, **options})


def ended(job: Job) -> ExitResult:
    result = job.wait(60)
    assert result is not None, "the job still runs"
    return result


def printed(runner: Runner, folder: Path, code: str, **options: Any) -> str:
    """What a job prints, which ends well."""
    result = ended(start(runner, folder, code, **options))
    assert result.code == 0, result.tail
    return "\n".join(result.tail)


def test_a_job_is_a_fork_with_a_session_environment_folder_and_arguments_of_its_own(
    runner: Runner, tmp_path: Path
) -> None:
    code = f"""
import os, sys, __main__
print({IS_FORK}, os.getsid(0) == os.getpid() == os.getpgid(0), os.getcwd(), sys.argv, sys.path[0], __main__.__name__)
print(sorted(os.environ), os.read(0, 1))
"""
    job = start(runner, tmp_path, code, arguments=("a b",))
    result = ended(job)
    script = str(tmp_path / "job.py")
    first, second = result.tail
    assert first == f"True True {tmp_path} {[script, 'a b']} {tmp_path} __main__"
    own = {name for name in os.environ if name in ("PATH", "HOME", "LANG", "TMPDIR", "LC_CTYPE")}
    names = set(eval(second.rpartition(" ")[0]))
    assert names - {name for name in names if name.startswith("AWS_")} <= own | {"OF_THE_IMAGE", "LC_CTYPE"}
    assert second.endswith("b''")


def test_a_module_runs_as_a_fork_too(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    code = f"import sys; print(__name__, {IS_FORK}, sys.argv[1:], file=sys.stderr)"
    (tmp_path / "package" / "job.py").write_text(code)
    options: Any = {"cwd": tmp_path, "env": PRELOAD.env, "role_arn": None, "log_group": GROUP, "log_stream": "module"}
    job = runner.start("job", [sys.executable, "-m", "package.job", "x"], preload=PRELOAD, **options)
    assert ended(job).tail == ["__main__ True ['x']"]


# What a careless job does to its interpreter and its process.
CARELESS = """
import builtins, json, os, random, sys, yaml
json.loads = builtins.left = yaml.left = sys.left = "by the first job"
os.environ["LEFT"] = "by the first job"
os.umask(0)
os.chdir("/")
sys.path.insert(0, "/left")
os.open(__file__, os.O_RDONLY)
print(random.random())
"""
LOOKS = """
import builtins, json, os, random, sys, yaml
left = [hasattr(found, "left") for found in (builtins, yaml, sys)]
print(left, json.loads("1"), "LEFT" in os.environ, os.umask(0o22), os.getcwd() == "/", "/left" in sys.path)
print([os.readlink(f"/proc/self/fd/{number}")[:5] for number in (0, 1, 2)], len(os.listdir("/proc/self/fd")))
print(random.random())
"""


def test_nothing_that_a_job_does_is_seen_by_the_next(runner: Runner, tmp_path: Path) -> None:
    mask = os.umask(0o22)
    os.umask(mask)
    drawn = printed(runner, tmp_path / "first", CARELESS)
    first, second, third = printed(runner, tmp_path / "second", LOOKS).splitlines()
    assert first == f"[False, False, False] 1 False {mask} False False"
    assert second == "['/dev/', 'pipe:', 'pipe:'] 4"  # and the listing's own descriptor
    assert third != drawn


# Searches all that this process can write of its own memory. A pattern such as [o]f does not match itself.
SEARCHES = """
import re, sys
pattern, found = re.compile(sys.argv[1].encode()), False
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for region in [line.split() for line in maps if " rw" in line]:
        begin, end = (int(number, 16) for number in region[0].split("-"))
        memory.seek(begin)
        found = found or bool(pattern.search(memory.read(end - begin)))
print(found)
"""
HOLDS = "import os, time; print(os.environ['SECRET'], flush=True); time.sleep({})"


def test_a_job_has_no_other_jobs_variables_in_its_memory(runner: Runner, tmp_path: Path) -> None:
    """Neither those of one that has ended, nor of one that runs."""
    secret = {**PRELOAD.env, "SECRET": "secret-of-another-job"}
    search: Any = {"arguments": ("[o]f-another-job",)}
    printed(runner, tmp_path / "ended", HOLDS.format(0), env=secret)
    running = start(runner, tmp_path / "running", HOLDS.format(60), env=secret)
    try:
        assert printed(runner, tmp_path / "other", SEARCHES, **search) == "False"
        assert printed(runner, tmp_path / "same", SEARCHES, env=secret, **search) == "True"
    finally:
        running.stop(0)
        ended(running)


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "PYTHONHASHSEED", "OF_THE_IMAGE"])
def test_a_job_with_another_start_is_started_afresh(runner: Runner, tmp_path: Path, name: str) -> None:
    assert printed(runner, tmp_path, f"print({IS_FORK})", env={**PRELOAD.env, name: "1"}) == "False"


def test_a_job_that_brings_a_library_gets_its_own_version(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "yaml.py").write_text("NAME = 'brought'")
    env = {**PRELOAD.env, "PYTHONPATH": str(tmp_path / "libraries")}
    assert printed(runner, tmp_path, "import yaml; print(yaml.NAME)", env=env) == "brought"


def test_a_failed_job_has_its_exit_code_and_traceback(runner: Runner, tmp_path: Path) -> None:
    result = ended(start(runner, tmp_path, "raise ValueError('bad row')"))
    assert (result.kind, result.code, result.tail[-1]) == ("exited", 1, "ValueError: bad row")
    assert ended(start(runner, tmp_path, "import os; os.kill(os.getpid(), 15)")).code == -15


def test_a_stop_and_a_time_limit_end_the_whole_group(runner: Runner, tmp_path: Path) -> None:
    code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
    job = start(runner, tmp_path, code)
    while not job.log_tail(1):
        job.wait(0.05)
    child = psutil.Process(int(job.log_tail(1)[0]))
    job.stop(grace=0.2)
    assert (ended(job).kind, job.returncode) == ("stopped", -9)
    Cloud.wait_until(lambda: has_ended(child))
    assert ended(start(runner, tmp_path, "import time; time.sleep(60)", timeout_seconds=0.3)).kind == "timed_out"


def test_jobs_end_with_their_interpreter_and_the_next_gets_a_new_one(runner: Runner, tmp_path: Path) -> None:
    job = start(runner, tmp_path, "import time; time.sleep(60)")
    zygote = psutil.Process(psutil.Process(job.pid).ppid())
    zygote.kill()
    assert (ended(job).kind, job.returncode) == ("exited", -9)
    Cloud.wait_until(lambda: has_ended(job.pid))
    assert printed(runner, tmp_path, f"print({IS_FORK})") == "True"


@pytest.mark.skipif(mounts.refusal() is not None, reason="no mounts on this machine")
def test_a_job_after_an_installation_is_the_fork_of_a_new_interpreter(runner: Runner, tmp_path: Path) -> None:
    python = tmp_path / "environment" / "bin" / "python"
    libraries = python.parent.parent / "lib" / "python3.12" / "site-packages"
    for folder in (python.parent, libraries):
        folder.mkdir(parents=True)
    python.symlink_to(Path(sys.executable).resolve())
    preload = Preload(modules=("sqlite3",))

    def parent() -> int:
        (tmp_path / "job.py").write_text("import os, sys; print('sqlite3' in sys.modules, os.getppid())")
        job = runner.start(
            "job",
            [str(python), str(tmp_path / "job.py")],
            preload=preload,
            cwd=tmp_path,
            env={},
            role_arn=ROLE,
            log_group=GROUP,
            log_stream=str(tmp_path)[1:],
        )
        is_fork, pid = ended(job).tail[-1].split()
        assert is_fork == "True"
        return int(pid)

    first = parent()
    assert parent() == first
    (libraries / "new.py").touch()
    assert parent() != first


def test_while_a_job_starts_the_interpreter_of_the_next_imports(tmp_path: Path) -> None:
    python = Path(sys.executable)
    script = Preload(modules=("sqlite3",))
    glue = GlueSettings(python=python, jars=(), preload={"audit.py": script})
    same = {"python": python, "cwd": tmp_path, "env": PRELOAD.env, "preload": ["yaml"]}
    images: Any = {"one": same, "none": {"python": python, "cwd": tmp_path}, "two": same, "last": {**same, "env": {}}}
    config = Config(state=tmp_path / "state", glue=glue, images=images)
    runner = Runner(config, RoleIdentity(config))

    def interpreters() -> set[int]:
        found = set()
        for process in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):  # of another test, and it has ended
                if zygote.__file__ in process.cmdline():
                    found.add(process.pid)
        return found

    before = interpreters()
    try:
        for _ in range(2):
            runner.warm(python, script)
        Cloud.wait_until(lambda: len(interpreters() - before) == 2)
        made = interpreters() - before
        job = start(runner, tmp_path / "job", "import os; print(os.getppid())")
        assert int(ended(job).tail[0]) in made
        assert interpreters() - before == made, "the job's interpreter had imported, and no other has begun to"
        runner.warm(python, PRELOAD)
        Cloud.wait_until(lambda: len(interpreters() - before) == 3)
        runner.warm(python, config.images["last"].preloaded)
        assert len(interpreters() - before) == 3, "there is no job after the last"
    finally:
        runner.close(0.2)


def test_a_fork_sees_its_folder_at_the_path_of_its_container(runner: Runner, tmp_path: Path) -> None:
    code = "import os; open('/opt/ml/written', 'w').close(); print(os.listdir('/opt/ml'))"
    (tmp_path / "ml").mkdir()
    assert printed(runner, tmp_path, code, mounts={"/opt/ml": tmp_path / "ml"}) == "['written']"
    assert (tmp_path / "ml" / "written").exists()
    assert not Path("/opt/ml/written").exists()


def test_an_interpreter_that_cannot_import_starts_jobs_all_the_same(runner: Runner, tmp_path: Path) -> None:
    absent = Preload(modules=("no_such_library",))
    assert printed(runner, tmp_path, f"print({IS_FORK})", preload=absent) == "False"


def test_an_interpreter_in_which_a_thread_runs_is_not_forked(tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=[60], daemon=True).start()"
    )
    argv = [sys.executable, zygote.__file__, '["threaded"]']
    answer = subprocess.run(
        argv, env={"PYTHONPATH": str(tmp_path)}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert (answer.returncode, answer.stderr) == (1, "zygote: one of threaded started a thread, so no job is forked\n")
