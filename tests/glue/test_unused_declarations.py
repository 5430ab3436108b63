"""Transform and audit do not use what ``Workload.process_hash`` leaves out, and a workload needs no tables."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from include.workloads import Workload, load
from include.workloads.declaration import NOT_PROCESSED
from tests.support.raw_objects import line, offered, rated, write_inputs
from tests.support.tiny_workload import document, write_workload

pytestmark = pytest.mark.spark
DAYS = [date(2013, 3, 1)]
FEATURES = 'FEATURES = {"price": "number"}\ndef features(record): return {"price": record["price"]}\n'


def without_what_is_left_out(workload: Workload) -> Workload:
    """The workload without the fields that the hash leaves out: whoever reads one gets an AttributeError."""
    for event in workload.events.values():
        for spec in event.fields.values():
            del spec.__dict__["description"], spec.__dict__["example"]
    for name in (name for name, left_out in NOT_PROCESSED.items() if left_out is True):
        del workload.__dict__[name]
    with pytest.raises(AttributeError):
        _ = workload.model
    return workload


def test_a_day_is_made_and_audited_without_them(spark, tmp_path: Path) -> None:
    from include.glue.audit import audit
    from include.glue.transform import transform

    heartbeat = {"by": "heartbeat", "event": "beat"}
    write_workload(
        tmp_path, "shop", document(tables=..., database=..., joins=..., stream__complete=heartbeat), FEATURES
    )
    events = [line(offered("k1", "2013-03-01T12:00:00Z")), line(rated("k1", "2013-03-01T13:00:00Z", 5))]
    events.append(line({**offered("k1", "2013-03-01T14:00:00Z"), "event_type": "beat"}))
    inputs = write_inputs(tmp_path, DAYS, [events])
    staging = f"file://{tmp_path}/staging/"
    stripped = without_what_is_left_out(load("shop", tmp_path))
    report = transform(spark, stripped, DAYS, inputs, staging, f"file://{tmp_path}/quarantine/")
    assert report["days"]["2013-03-01"]["offered"]["written"] == 1 and report["tables"] == {}
    assert report["reasons"] == {}, "a heartbeat is no event"
    recent = tmp_path / "recent.json"
    recent.write_text(json.dumps({"workload": "shop", "days": {}}))
    found = audit(stripped, DAYS, staging, f"file://{tmp_path}/docs/", f"file://{recent}")
    assert found["days"]["2013-03-01"]["success"], found
