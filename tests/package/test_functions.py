"""The archives of the Lambda functions: what the deadline check knows of the workloads that are released with it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path

from include.workloads import discover, load
from include.workloads.schedule import ScheduleSpec
from infra.lambdas.deadlines.nights import Schedule, night_of
from infra.package import functions

ROOT = Path(__file__).parents[2]


def test_the_deadline_check_has_the_schedules_of_the_workloads(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(functions.archive(ROOT, "deadlines"))) as archive:
        assert set(json.loads(archive.read("nights.json"))) == {workload.name for workload in discover()[0]}
        archive.extractall(tmp_path)
    code = "from infra.lambdas.deadlines import main; print(main.SCHEDULES.read_text())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "nights.json" not in done.stderr and json.loads(done.stdout), "it is complete: the tree is not on its path"


def test_it_reads_a_schedule_as_the_workload_declares_it() -> None:
    spec = ScheduleSpec(
        retrain="0 2 * * mon",
        timezone="Europe/Berlin",
        start=date(2013, 2, 1),
        catchup=True,
        deadline=timedelta(hours=5),
    )
    workload = load("flights").model_copy(update={"schedule": spec, "approval": "manual"})
    schedule = Schedule.read(json.loads(functions.schedules([workload]))["flights"])
    assert (schedule.retrain, schedule.start, schedule.deadline) == ("0 2 * * mon", spec.start, spec.deadline)
    assert not schedule.deploys
    for offset in range(366):
        day = spec.start + timedelta(days=offset)
        night = night_of(schedule, day)
        assert night is not None and night.retrains == spec.retrains_after(day)
        at = (night.due - schedule.deadline).astimezone(spec.zone)
        assert f"{at:%H:%M}" == ("02:00" if night.retrains else "00:30")
