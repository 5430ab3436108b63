"""Digests depend on content, not on order."""

from __future__ import annotations

from datetime import date

import pytest

from include.lake.fingerprint import canonical_json, digest, inputs_document, submit_key


def test_equal_values_have_equal_canonical_json() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'.encode()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
    with pytest.raises(TypeError):
        canonical_json(date(2013, 3, 1))


def test_a_submit_key_depends_on_every_part() -> None:
    key = submit_key(stage="transform", workload="flights", fresh="")
    assert len(key) == 20 and int(key, 16) >= 0
    assert key == submit_key(fresh="", workload="flights", stage="transform")
    assert key != submit_key(stage="transform", workload="flights", fresh="1")


def test_an_inputs_document_does_not_depend_on_order() -> None:
    days = [date(2013, 3, 2), date(2013, 3, 1)]
    one = inputs_document(
        "flights", days, {"b": "2", "a": "1"}, {"weather": {"y": "4", "x": "3"}, "planes": {}}, "lake"
    )
    other = inputs_document(
        "flights", days[::-1], {"a": "1", "b": "2"}, {"planes": {}, "weather": {"x": "3", "y": "4"}}, "lake"
    )
    assert one == other and digest(one) == digest(other)
    assert one == {
        "workload": "flights",
        "days": ["2013-03-01", "2013-03-02"],
        "bucket": "lake",
        "stream_objects": [{"key": "a", "sha256": "1"}, {"key": "b", "sha256": "2"}],
        "table_objects": {"planes": [], "weather": [{"key": "x", "sha256": "3"}, {"key": "y", "sha256": "4"}]},
    }
