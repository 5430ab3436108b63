"""Rules of SageMaker jobs that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.localcloud.sagemaker.errors import StorageError
from infra.localcloud.sagemaker.job import container_command
from infra.localcloud.sagemaker.storage import bucket_and_key, local_file, relative
from infra.localcloud.sagemaker.training import final_metrics


@pytest.mark.parametrize(
    ("key", "prefix", "path"),
    [
        ("a/train/x.parquet", "a/train/", "x.parquet"),
        ("a/train/sub/x.parquet", "a/train/", "sub/x.parquet"),
        ("a/train/x.parquet", "a/train", "x.parquet"),
        ("a/trainings/x.parquet", "a/train", "trainings/x.parquet"),
        ("a/train.csv", "a/train.csv", "train.csv"),
        ("x.csv", "", "x.csv"),
    ],
)
def test_the_path_of_an_object_in_its_channel(key: str, prefix: str, path: str) -> None:
    assert relative(key, prefix) == path


def test_a_key_cannot_lead_out_of_the_channels_folder(tmp_path: Path) -> None:
    assert local_file(tmp_path, "a/b.csv") == tmp_path / "a/b.csv"
    with pytest.raises(StorageError, match="leaves its folder"):
        local_file(tmp_path, "../b.csv")


@pytest.mark.parametrize("uri", ["bucket/key", "s3://", "http://bucket/key"])
def test_another_uri_is_an_error(uri: str) -> None:
    with pytest.raises(StorageError, match="not an S3 URI"):
        bucket_and_key(uri)


def test_the_final_metric_is_the_last_value_that_is_a_number() -> None:
    definitions = [{"Name": "auc", "Regex": r"metric:auc=(\S+)"}, {"Name": "none", "Regex": "metric:none"}]
    found: list[dict[str, Any]] = final_metrics(
        ["metric:auc=0.1", "metric:auc=0.2", "metric:auc=many", "metric:none"], definitions
    )
    assert [(m["MetricName"], m["Value"]) for m in found] == [("auc", 0.2)]


def test_an_entry_point_replaces_the_images_command() -> None:
    image = ("python", "train.py")
    assert container_command(image, None, None, ["train"]) == ["python", "train.py", "train"]
    assert container_command(image, None, ["--fast"], ["train"]) == ["python", "train.py", "--fast"]
    assert container_command(image, ["python", "-m", "x"], None, ["train"]) == ["python", "-m", "x"]
    assert container_command(image, ["python", "-m", "x"], ["--fast"], []) == ["python", "-m", "x", "--fast"]
