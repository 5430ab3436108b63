"""The night: its plan, its gate, its jobs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from include.pipelines.retrain import run as night
from include.pipelines.retrain.jobs import evaluation_config
from include.settings import Settings
from include.workloads import load
from tests.support.packages import package

SETTINGS = Settings(
    lake_bucket="lake",
    artifact_bucket="artifact",
    training_image="training:1",
    training_role_arn="arn:aws:iam::123456789012:role/training",
    serving_image="serving:1",
    alerts_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
)
FLIGHTS = load("flights")
DAY = date(2013, 5, 1)


class Days:
    """The state table's day items."""

    def __init__(self, **runs: str) -> None:
        self.items = {day: {"status": "published", "run": run} for day, run in runs.items()}

    def query(self, pk: str) -> dict[str, Any]:
        assert pk == "day#flights"
        return self.items


def plan(**runs: str) -> dict[str, Any]:
    return night.plan(FLIGHTS, DAY, SETTINGS, "sha", Days(**runs))


def test_the_plan_is_the_same_for_the_same_inputs_and_another_when_a_day_of_the_window_is_published_anew() -> None:
    planned = plan(**{"2013-05-01": "a"})
    assert planned["cutoff"] == "2013-05-02T00:00:00Z"
    assert "s3://lake/datasets/flights/${submit_key}/" in planned["dataset_query"]
    assert plan(**{"2013-05-01": "a"}) == planned
    assert plan(**{"2013-05-01": "b"})["key"] != planned["key"]
    assert plan(**{"2013-05-01": "a", "2013-05-02": "c", "2012-01-01": "d"})["key"] == planned["key"]


def test_the_window_is_the_days_before_the_cutoff() -> None:
    days = night.window(FLIGHTS, night.calendar.cutoff(DAY))
    dataset = FLIGHTS.dataset
    assert days[-1] == DAY
    assert len(days) == dataset.train_days + dataset.validation_days + dataset.test_days


def split(rows: int, positives: int) -> dict[str, int]:
    return {"rows": rows, "positives": positives}


@pytest.mark.parametrize(
    ("splits", "reason"),
    [
        ({"train": split(10, 5)}, "minimum_rows"),
        ({"train": split(10**6, 5), "test": split(9, 0)}, "Split test has 0 positive"),
        ({"train": split(10**6, 5), "test": split(9, 9)}, "both classes"),
    ],
)
def test_a_data_set_that_is_not_fit_is_refused(splits: Any, reason: str) -> None:
    with pytest.raises(night.Unfit, match=reason):
        night.check_fit(FLIGHTS, splits)


def test_a_fit_data_set_passes() -> None:
    night.check_fit(FLIGHTS, {name: split(10**5, 10**4) for name in ("train", "validation", "test")})


def test_the_champion_is_scored_on_the_same_test_set_and_only_where_there_is_one() -> None:
    common = {
        "workload": "flights",
        "image": "training:1",
        "role_arn": "arn",
        "instance_type": "ml.m5.large",
        "max_runtime_seconds": 60,
        "dataset_uri": "s3://lake/d/",
        "manifest_uri": "s3://artifact/m.json",
        "output_uri": "s3://artifact/o/",
        "bootstrap": 100,
        "seed": 1,
    }
    alone = evaluation_config(**common, champion=None, champion_manifest_uri="")
    assert [given["InputName"] for given in alone["ProcessingInputs"]] == ["candidate", "test", "manifest"]
    against = evaluation_config(**common, champion=package(1, "x"), champion_manifest_uri="s3://artifact/c.json")
    assert [given["InputName"] for given in against["ProcessingInputs"]][3:] == ["champion", "champion_manifest"]
    assert against["AppSpecification"]["ContainerArguments"][-2:] == ["--champion-digest", "x"]


def test_job_names_leave_room_for_a_salt_and_an_attempt() -> None:
    jobs = night._jobs(FLIGHTS, SETTINGS, "sha", "v" * 64, "s3://lake/d/", None)
    longest = "nj-" + "w" * 20 + "-train-" + "k" * 20
    assert max(len(jobs["training_name"]), len(jobs["evaluation_name"])) == len(longest) - 20 + len("flights")
    assert len(longest + "-f123456" + "-a99") <= 63
