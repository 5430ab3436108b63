"""The features of the flights workload."""

from __future__ import annotations

from typing import Any

import pytest

from include.workloads import load


def record(**changes: Any) -> dict[str, Any]:
    workload = load("flights")
    examples = {
        name: spec.check(spec.example)[0] for name, spec in workload.request.items() if spec.example is not None
    }
    return {**dict.fromkeys(workload.request), **examples, **changes}


def test_every_feature_has_a_value_for_a_full_record() -> None:
    workload = load("flights")
    values = workload.feature_code().features(record())
    assert list(values) == list(workload.features)
    for name, kind in workload.features.items():
        assert isinstance(values[name], float if kind == "number" else str), name


def test_missing_values_give_missing_features_and_no_error() -> None:
    workload = load("flights")
    nulls = {name: None for name, spec in workload.request.items() if spec.nullable}
    values = workload.feature_code().features(record(**nulls))
    assert values["plane_age"] is values["wind_north"] is values["regional"] is values["planned_speed"] is None
    assert values["distance"] == 1400.0


def test_a_wind_is_named_after_the_direction_it_comes_from() -> None:
    features = load("flights").feature_code().features
    west = features(record(weather_wind_dir=270.0, weather_wind_speed=10.0))
    assert west["wind_east"] == pytest.approx(10.0) and west["wind_north"] == pytest.approx(0.0)
