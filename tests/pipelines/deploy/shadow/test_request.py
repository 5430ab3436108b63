"""The request of a shadow job, and which hours of the prediction log it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from include.pipelines.deploy.shadow.request import logged_hours, shadow_job
from include.workloads.deploying import ShadowSpec
from tests.support.packages import package
from tests.support.retrain_runs import SETTINGS
from tests.support.shadows import SPEC, with_shadow
from tests.support.stores_in_memory import ObjectsInMemory

FLIGHTS = with_shadow()
LIVE, NEW = package(1, "x"), package(2, "y")
HOURS = {"predictions/flights/2026/11/28/23/": ["a"], "predictions/flights/2026/11/29/00/": ["b"]}


def job(hours: dict[str, list[str]] = HOURS, spec: ShadowSpec = SPEC, **changes: Any) -> Any:
    given: dict[str, Any] = {"code_sha": "sha", "versions": (LIVE, NEW), **changes}
    return shadow_job(FLIGHTS, spec, SETTINGS, given["code_sha"], given["versions"], hours)


def test_the_newest_hours_with_requests_are_read_also_those_of_the_day_before() -> None:
    objects = ObjectsInMemory()
    for hour in ("2026/11/28/19", "2026/11/28/20", "2026/11/28/23", "2026/11/29/01"):
        objects.put("lake", f"predictions/flights/{hour}/part", b"")
    objects.put("lake", "predictions/flights/errors/2026/11/29/01/part", b"")
    present = datetime(2026, 11, 29, 1, 59, tzinfo=UTC)
    assert logged_hours("flights", SPEC, present, "lake", objects) == {
        f"predictions/flights/{hour}/": [f"predictions/flights/{hour}/part"]
        for hour in ("2026/11/28/20", "2026/11/28/23", "2026/11/29/01")
    }


def test_the_job_gets_both_bundles_and_each_hour_in_a_folder_of_the_log() -> None:
    request = job()["request"]
    inputs = {given["InputName"]: given["S3Input"] for given in request["ProcessingInputs"]}
    assert {name: given["S3Uri"] for name, given in inputs.items()} == {
        "live": "s3://artifact/1/bundle.tar.gz",
        "candidate": "s3://artifact/2/bundle.tar.gz",
        "log-0": "s3://lake/predictions/flights/2026/11/28/23/",
        "log-1": "s3://lake/predictions/flights/2026/11/29/00/",
    }
    assert inputs["log-1"]["LocalPath"] == "/opt/ml/processing/input/log/1"
    asked = request["AppSpecification"]["ContainerArguments"]
    assert asked == ["--workload", "flights", "--requests", "20000", "--live", "d1", "--candidate", "d2"]


def test_it_has_no_more_inputs_than_sagemaker_takes_and_its_name_leaves_room_for_an_attempt() -> None:
    most = ShadowSpec(hours=8)
    hours = {f"predictions/flights/2026/11/29/{hour:02d}/": ["a"] for hour in range(most.hours)}
    assert len(job(hours, most)["request"]["ProcessingInputs"]) == 10
    spare = 20 - len("flights")  # a workload's name has at most 20 characters
    assert len(job()["name"]) + spare <= 51


def test_a_name_changes_with_what_decides_the_jobs_result() -> None:
    others = [
        job({**HOURS, "predictions/flights/2026/11/29/01/": ["c"]}),
        job(spec=ShadowSpec(maximum_requests=1000)),
        job(code_sha="other"),
        job(versions=(LIVE, package(3, "z"))),
    ]
    assert len({made["name"] for made in (job(), *others)}) == 5
    assert job(spec=ShadowSpec(score_difference=0.5))["name"] == job()["name"]  # a limit decides nothing of the job
