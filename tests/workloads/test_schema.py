from __future__ import annotations

from pathlib import Path

from include.workloads.schema import dataset_columns, processed_columns
from tests.support.tiny_workload import tiny_workload

COMMON = ["key", "event_time", "known_at", "recorded_at", "arrived_at"]


def test_the_feature_event_has_request_and_features(tmp_path: Path) -> None:
    columns = processed_columns(tiny_workload(tmp_path), "offered")
    assert [name for name, _ in columns[:5]] == COMMON
    assert columns[5:] == [
        ("item", "string"),
        ("price", "double"),
        ("stock", "bigint"),
        ("fresh", "boolean"),
        ("made", "timestamp"),
        ("maker_name", "string"),
        ("f_price", "double"),
        ("f_item", "string"),
        ("f_maker", "string"),
    ]


def test_the_label_event_has_its_payload(tmp_path: Path) -> None:
    assert processed_columns(tiny_workload(tmp_path), "rated")[5:] == [("stars", "bigint")]


def test_a_data_set_has_key_time_label_features_and_request(tmp_path: Path) -> None:
    names = [name for name, _ in dataset_columns(tiny_workload(tmp_path))]
    assert names[:4] == ["key", "event_time", "label", "f_price"] and names[-1] == "maker_name"
