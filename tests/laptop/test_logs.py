"""`make logs` finds the log of a process, of a job and of a service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.laptop import logs, parts
from infra.laptop.config import LaptopConfig, LaptopError


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    made = LaptopConfig(run=tmp_path)
    cloud = tmp_path / "cloud" / "logs"
    files = [made.logs / "airflow-scheduler.log", made.logs / "supervisor.log"]
    files += [cloud / "ecs" / "nightjar-flights" / "service" / task for task in ("old", "new")]
    files += [cloud / "aws-glue" / "jobs" / "error" / "jr_1"]
    for number, path in enumerate(files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name} 1\n{path.name} 2\n")
        os.utime(path, (1000 + number, 1000 + number))
    return made


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("scheduler", "airflow-scheduler.log"),
        (parts.SCHEDULER, "airflow-scheduler.log"),
        ("supervisor", "supervisor.log"),
        ("ecs", "new"),
        ("jr_1", "jr_1"),
        ("ecs/nightjar-flights/service/old", "old"),
    ],
)
def test_the_log_that_is_meant(config: LaptopConfig, what: str, name: str) -> None:
    assert logs.find(config, what).name == name


def test_unknown_and_absent_logs_are_errors_that_say_what_to_do(config: LaptopConfig) -> None:
    with pytest.raises(LaptopError, match=r"no such log. Did you mean WHAT=scheduler\? `make logs` lists"):
        logs.find(config, "schedular")
    with pytest.raises(LaptopError, match=r"airflow-triggerer.log: airflow-triggerer has never run here"):
        logs.find(config, "triggerer")


def test_the_listing_has_a_line_for_each_process_and_group(config: LaptopConfig) -> None:
    assert [line.split()[0] for line in logs.listing(config)] == [
        "scheduler",
        "supervisor",
        "aws-glue/jobs/error",
        "ecs/nightjar-flights",
    ]
    assert logs.listing(LaptopConfig(run=config.state / "none")) == []


def test_the_end_is_printed(config: LaptopConfig, capsys: pytest.CaptureFixture[str]) -> None:
    path = logs.find(config, "scheduler")
    logs.show(path, 1, follow=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("airflow-scheduler.log 2\n", f"--- {path}\n")
