"""Training by hand: which data set, which hyperparameters, and what is refused before anything starts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.errors import UserError
from include.lake.manifest import dataset_version
from include.training import datasets, launch
from include.workloads import Workload, load


class Bucket:
    """The objects of a bucket: key → body, in the order in which they were written."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, name: str) -> Bucket:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's names
        start = datetime(2026, 1, 1, tzinfo=UTC)
        listed = [
            {"Key": key, "LastModified": start + timedelta(days=day)}
            for day, key in enumerate(self.objects)
            if key.startswith(Prefix)
        ]
        return [{"Contents": listed[::-1]}] if listed else [{}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Body": io.BytesIO(self.objects[Key])}


def manifest(cutoff: str) -> dict[str, Any]:
    made: dict[str, Any] = {"workload": "flights", "cutoff": cutoff, "splits": {}, "location": "s3://lake/d/"}
    return {**made, "version": dataset_version(made)}


def bucket(*manifests: dict[str, Any]) -> Bucket:
    return Bucket({f"datasets/flights/{made['version']}.json": json.dumps(made).encode() for made in manifests})


OLD, NEW = manifest("2013-06-01T00:00:00Z"), manifest("2013-06-02T00:00:00Z")


@pytest.mark.parametrize(("wanted", "found"), [("newest", NEW), (OLD["version"], OLD), (OLD["version"][:12], OLD)])
def test_a_data_set_is_found_by_its_version_or_as_the_newest(wanted: str, found: dict[str, Any]) -> None:
    assert datasets.find(bucket(OLD, NEW), "artifact", "flights", wanted) == found


@pytest.mark.parametrize(
    ("objects", "wanted", "text"),
    [
        (bucket(), "newest", "flights has no data set in artifact. Run flights_retrain once"),
        (bucket(OLD, NEW), "zzz", f"'zzz' is none of the data sets of flights: {OLD['version']}, {NEW['version']}"),
        (bucket(OLD, NEW), "", "fits several data sets"),
        (bucket({**OLD, "cutoff": "x"}), "newest", "was altered"),
    ],
)
def test_a_data_set_that_is_none_is_refused(objects: Bucket, wanted: str, text: str) -> None:
    with pytest.raises(UserError, match=text):
        datasets.find(objects, "artifact", "flights", wanted)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ("learning_rate", "'learning_rate' sets no hyperparameter. Write name=value"),
        ("max_iters=3", "max_iters is no hyperparameter"),
        ("learning_rate=0.1 max_iter=0", "max_iter 0 is not an integer from 1"),
    ],
)
def test_a_mistake_is_told_at_once(values: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--artifact-bucket", "a", "--image", "i", "--role", "r"]
    assert launch.main(["--workload", "flights", "--set", values, *place]) == 1
    assert text in capsys.readouterr().err


def test_a_gpu_that_nothing_uses_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--artifact-bucket", "a", "--image", "i", "--role", "r", "--instance-type", "ml.g5.xlarge"]
    assert launch.main(["--workload", "flights", *place]) == 1
    assert "ml.g5.xlarge has a GPU, which hist_gradient_boosting does not use" in capsys.readouterr().err


def with_xgboost(name: str) -> Workload:
    """The workload, but with the kind that uses a GPU."""
    workload = load(name)
    kind: dict[str, Any] = {"kind": "xgboost", "hyperparameters": {}, "tuning": None}
    return workload.model_copy(update={"model": workload.model.model_copy(update=kind)})


def test_a_gpu_without_an_image_for_it_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "load", with_xgboost)
    monkeypatch.delenv("NIGHTJAR_TRAINING_GPU_IMAGE", raising=False)
    place = ["--artifact-bucket", "a", "--image", "i", "--role", "r", "--instance-type", "ml.g5.xlarge"]
    assert launch.main(["--workload", "flights", *place]) == 1
    assert "Name the training image for GPUs with --gpu-image" in capsys.readouterr().err


def test_the_image_follows_from_the_instance_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "load", with_xgboost)
    images = []

    def launched(workload: Workload, dataset: str, values: Mapping[str, Any], place: launch.Place) -> launch.Launched:
        images.append(place.image)
        return launch.Launched("job", "s3://m", {})

    monkeypatch.setattr(launch, "launch", launched)
    place = ["--artifact-bucket", "a", "--image", "cpu", "--gpu-image", "gpu", "--role", "r", "--instance-type"]
    for instance in ("ml.g5.xlarge", "ml.m5.xlarge"):
        assert launch.main(["--workload", "flights", *place, instance]) == 0
    assert images == ["gpu", "cpu"]


def test_an_unknown_workload_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--artifact-bucket", "a", "--image", "i", "--role", "r"]
    assert launch.main(["--workload", "nothing", *place]) == 1
    assert "nothing" in capsys.readouterr().err
