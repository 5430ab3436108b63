"""What a process run has to do, by what is in raw and what is published."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import NothingToDoError, RefusedError
from include.lake import fingerprint, layout, state_keys
from include.pipelines.process.plan import PlanRequest, plan_days
from include.pipelines.process.types import ProcessPlan
from include.workloads import Workload, load
from tests.support.moto_cloud import ARTIFACT, LAKE, RAW, STATE, MotoCloud
from tests.support.product_settings import product_settings
from tests.support.tiny_workload import EXPECTATIONS, FEATURES, tiny_workload, write_workload

pytestmark = pytest.mark.stack
FIRST, SECOND = "2013-03-01", "2013-03-02"
FIRST_KEY = state_keys.day_key("shop", date(2013, 3, 1))
STREAM = "nightjar-shop"
NOW = datetime(2013, 3, 3, 1, 2, 3, tzinfo=UTC)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path)


def raw(day: str, name: str, body: bytes = b"x") -> None:
    objects, key = ObjectStoreHook(), f"{layout.raw_prefix('shop', STREAM)}ingest_date={day}/{name}"
    objects.put_once(RAW, key, body)
    objects.put(LAKE, layout.marker_key("shop", STREAM, date.fromisoformat(day), key), b"")


def snapshot() -> None:
    ObjectStoreHook().put_once(
        RAW, layout.raw_table_key("shop", "makers", datetime(2013, 3, 1, tzinfo=UTC), 0), b"rows"
    )
    StateHook(STATE).put(*state_keys.watermark_key("shop", "makers"), {"watermark": "2013-03-01T00:00:00.000000Z"})


def planned(workload: Workload, *days: str, sha: str = "abc", code: str = "shared", **flags: bool) -> ProcessPlan:
    request = PlanRequest([date.fromisoformat(day) for day in days], NOW, sha, code, **flags)
    hooks: dict[str, Any] = {"objects": ObjectStoreHook(), "state": StateHook(STATE)}
    return plan_days(workload, request, product_settings(), **hooks)


def test_a_plan_names_exactly_what_the_markers_name_with_checksums(cloud: MotoCloud, workload: Workload) -> None:
    snapshot()
    raw(FIRST, "a")
    raw(SECOND, "b")
    plan = planned(workload, FIRST, "2013-03-09")
    assert list(plan["days"]) == [FIRST], "a day without raw data is left out"
    document: Any = ObjectStoreHook().get_json(ARTIFACT, plan["inputs"].removeprefix(f"s3://{ARTIFACT}/"))
    assert [entry["key"] for entry in document["stream_objects"]] == [f"raw/shop/nightjar-shop/ingest_date={FIRST}/a"]
    head = cloud.client("s3").head_object(Bucket=RAW, Key=document["stream_objects"][0]["key"], ChecksumMode="ENABLED")
    assert document["stream_objects"][0]["sha256"] == head["ChecksumSHA256"]
    assert len(document["table_objects"]["makers"]) == 1
    assert plan["inputs"].endswith(f"/{fingerprint.digest(document)}.json")
    assert planned(workload, FIRST)["submit_key"] == plan["submit_key"], "the same inputs, the same job"


def test_an_interval_without_raw_data_is_skipped_with_a_text(cloud: MotoCloud, workload: Workload) -> None:
    snapshot()
    with pytest.raises(NothingToDoError, match=f"No raw data for {FIRST}"):
        planned(workload, FIRST)
    assert (StateHook(STATE).get(*FIRST_KEY) or {})["status"] == "empty"


def test_an_empty_day_is_recorded_once_and_replaces_no_other_status(cloud: MotoCloud, workload: Workload) -> None:
    snapshot()
    state = StateHook(STATE)
    with pytest.raises(NothingToDoError, match="No raw data"):
        planned(workload, FIRST, dry_run=True)
    assert state.get(*FIRST_KEY) is None
    for status in ("published", "refused"):
        item = {"status": status, "fingerprint": "f", "planned_at": "2013-03-02T00:00:00.000000Z"}
        state.put(*FIRST_KEY, item)
        with pytest.raises(NothingToDoError, match="No raw data"):
            planned(workload, FIRST)
        assert state.get(*FIRST_KEY) == item


def test_a_day_published_from_the_same_inputs_and_code_is_skipped_unless_fresh(
    cloud: MotoCloud, workload: Workload
) -> None:
    snapshot()
    raw(FIRST, "a")
    raw(SECOND, "b")
    plan = planned(workload, FIRST, SECOND)
    item = {"status": "published", "fingerprint": plan["days"][FIRST], "code_sha": "abc"}
    StateHook(STATE).put(*FIRST_KEY, item)
    with pytest.raises(NothingToDoError, match="published from the same inputs"):
        planned(workload, FIRST)
    assert list(planned(workload, FIRST, SECOND)["days"]) == [SECOND]
    assert list(planned(workload, FIRST, fresh=True)["days"]) == [FIRST]
    StateHook(STATE).put(*FIRST_KEY, {**item, "status": "refused"})
    assert list(planned(workload, FIRST)["days"]) == [FIRST]
    StateHook(STATE).put(*FIRST_KEY, item)
    raw(FIRST, "late", b"late")
    assert planned(workload, FIRST)["days"][FIRST] != plan["days"][FIRST], "a late correction is a new input"


def test_a_day_stays_valid_until_what_its_transform_and_audit_use_changes(cloud: MotoCloud, tmp_path: Path) -> None:
    """Not until any file of the build changes: ``sha`` names the build, ``code`` the hash of what they use."""
    snapshot()
    raw(FIRST, "a")
    workload = tiny_workload(tmp_path)
    plan = planned(workload, FIRST)
    StateHook(STATE).put(*FIRST_KEY, {"status": "published", "fingerprint": plan["days"][FIRST], "code_sha": "abc"})
    unread = {
        "description": "Another text.", "owner": "someone", "model__hyperparameters": {"max_iter": 20},
        "quality__bar": 0.6, "label__expression": "stars >= 3", "dataset__train_days": 4, "serving__desired_count": 2,
        "events__offered__schema__price__example": 5, "events__offered__schema__price__description": "in euros",
    }  # fmt: skip
    with pytest.raises(NothingToDoError, match="published from the same inputs and code"):
        planned(tiny_workload(tmp_path / "unread", **unread), FIRST, sha="def")
    used: list[dict[str, Any]] = [
        {"clock": "arrived_at"}, {"joins__0__lead": "PT2H"}, {"events__offered__schema__price__max": 500},
        {"events__rated__schema__new": {"type": "string", "nullable": True}},
        {"tables__makers__schema__name__normalize": False},
    ]  # fmt: skip
    for number, changes in enumerate(used):
        again = planned(tiny_workload(tmp_path / str(number), **changes), FIRST)
        assert list(again["days"]) == [FIRST] and again["submit_key"] != plan["submit_key"], changes
    files: list[dict[str, Any]] = [
        {"features": FEATURES + "# A comment\n"}, {"expectations": {**EXPECTATIONS, "rated": {"quarantine": 0}}},
    ]  # fmt: skip
    for number, parts in enumerate(files):
        write_workload(tmp_path / f"files{number}", **parts)
        assert list(planned(load("shop", tmp_path / f"files{number}"), FIRST)["days"]) == [FIRST], parts
    again = planned(workload, FIRST, code="another transform")
    assert list(again["days"]) == [FIRST] and again["submit_key"] != plan["submit_key"]


def test_a_table_without_a_snapshot_stops_the_plan(cloud: MotoCloud, workload: Workload) -> None:
    raw(FIRST, "a")
    with pytest.raises(RefusedError, match=r"No snapshot of makers.*ingest_tables"):
        planned(workload, FIRST)


def test_a_dry_run_writes_nothing(cloud: MotoCloud, workload: Workload) -> None:
    snapshot()
    raw(FIRST, "a")
    with pytest.raises(NothingToDoError, match=f"Dry run: would process {FIRST} from 1 raw objects"):
        planned(workload, FIRST, dry_run=True)
    assert cloud.keys("inputs/", ARTIFACT) == []


def test_an_object_without_a_checksum_is_named(cloud: MotoCloud, workload: Workload) -> None:
    snapshot()
    raw(FIRST, "a")
    key = f"{layout.raw_prefix('shop', STREAM)}ingest_date={FIRST}/strange"
    cloud.client("s3").put_object(Bucket=RAW, Key=key, Body=b"x", ChecksumAlgorithm="CRC32")
    ObjectStoreHook().put(LAKE, layout.marker_key("shop", STREAM, date.fromisoformat(FIRST), key), b"")
    with pytest.raises(ValueError, match="strange has no SHA-256"):
        planned(workload, FIRST)


def test_a_day_is_not_processed_before_the_declared_initial_load_is_over(cloud: MotoCloud, tmp_path: Path) -> None:
    snapshot()
    raw(FIRST, "a")
    loaded = tiny_workload(tmp_path, tables__makers__initial_load="2013-03-01")
    with pytest.raises(
        RefusedError, match=r"tables\.makers\.initial_load of shop is 2013-03-01, but makers is in raw only"
    ):
        planned(loaded, FIRST)
    StateHook(STATE).put(*state_keys.watermark_key("shop", "makers"), {"watermark": "2013-03-02T00:00:00.000000Z"})
    assert list(planned(loaded, FIRST)["days"]) == [FIRST]
