"""The request record is derived from the feature event and the joins."""

from __future__ import annotations

from pathlib import Path

from include.workloads import FieldSpec, load
from tests.support.tiny_workload import tiny_workload


def test_the_request_is_the_feature_events_fields_then_the_joined_fields(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path)
    assert list(workload.request) == ["item", "price", "stock", "fresh", "made", "maker_name"]
    assert workload.request["price"] == workload.events["offered"].fields["price"]


def test_a_joined_field_may_be_null_because_the_row_may_be_missing(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path)
    assert not workload.tables["makers"].fields["name"].nullable
    assert workload.request["maker_name"] == FieldSpec(type="string", nullable=True)


def test_a_workload_may_give_a_request_field_another_description_and_example(tmp_path: Path) -> None:
    texts = {"maker_name": {"example": "Ada"}, "price": {"description": "in euros", "example": 7}}
    workload = tiny_workload(tmp_path, request=texts)
    assert list(workload.request) == ["item", "price", "stock", "fresh", "made", "maker_name"]
    assert workload.request["price"] == FieldSpec(type="number", min=0, max=1000, description="in euros", example=7)
    assert workload.request["maker_name"] == FieldSpec(type="string", nullable=True, example="Ada")
    assert workload.events["offered"].fields["price"].example is None


def test_the_order_of_the_fields_of_flights_is_fixed() -> None:
    """Columns of tables and data sets have this order, and the data set version depends on it."""
    weather = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    assert list(load("flights").request) == [
        *("carrier", "flight", "tailnum", "origin", "dest", "distance", "year", "month", "day", "weekday"),
        *("sched_dep_hour", "sched_dep_minute", "sched_duration"),
        *(f"weather_{name}" for name in weather),
        *("plane_year_built", "plane_manufacturer", "plane_seats", "dest_lat", "dest_lon", "airline_name"),
    ]
