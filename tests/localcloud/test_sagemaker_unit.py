"""Parts of SageMaker's contract that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.localcloud.sagemaker.job import words
from infra.localcloud.sagemaker.storage import StorageError, _within, relative, split
from infra.localcloud.sagemaker.training import scrape


@pytest.mark.parametrize(
    ("key", "prefix", "below"),
    [
        ("a/train/x.parquet", "a/train/", "x.parquet"),
        ("a/train/sub/x.parquet", "a/train/", "sub/x.parquet"),
        ("a/train/x.parquet", "a/train", "x.parquet"),
        ("a/trainings/x.parquet", "a/train", "trainings/x.parquet"),
        ("a/train.csv", "a/train.csv", "train.csv"),
        ("x.csv", "", "x.csv"),
    ],
)
def test_an_object_lies_in_the_channel_as_below_its_prefix(key: str, prefix: str, below: str) -> None:
    assert relative(key, prefix) == below


def test_a_key_does_not_leave_the_channels_folder(tmp_path: Path) -> None:
    assert _within(tmp_path, "a/b.csv") == tmp_path / "a/b.csv"
    with pytest.raises(StorageError, match="leaves its folder"):
        _within(tmp_path, "../b.csv")


@pytest.mark.parametrize("uri", ["bucket/key", "s3://", "http://bucket/key"])
def test_what_is_no_s3_uri_is_said(uri: str) -> None:
    with pytest.raises(StorageError, match="not an S3 URI"):
        split(uri)


def test_the_last_value_of_a_metric_counts() -> None:
    definitions = [{"Name": "auc", "Regex": r"metric:auc=(\S+)"}, {"Name": "none", "Regex": "metric:none"}]
    found: list[dict[str, Any]] = scrape(
        ["metric:auc=0.1", "metric:auc=0.2", "metric:auc=many", "metric:none"], definitions
    )
    assert [(m["MetricName"], m["Value"]) for m in found] == [("auc", 0.2)]


def test_an_entry_point_replaces_the_images_command() -> None:
    image = ("python", "train.py")
    assert words(image, None, None, ["train"]) == ["python", "train.py", "train"]
    assert words(image, None, ["--fast"], ["train"]) == ["python", "train.py", "--fast"]
    assert words(image, ["python", "-m", "x"], None, ["train"]) == ["python", "-m", "x"]
    assert words(image, ["python", "-m", "x"], ["--fast"], []) == ["python", "-m", "x", "--fast"]
