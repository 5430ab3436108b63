"""Gate and publishing against a real catalog API: what readers see after good, bad, repeated and late runs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from nightjar.catalog import CatalogHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import NothingToDoError, RefusedError
from include.lake import state_keys
from include.pipelines.process.gate import gate_days, require_no_refused_day
from include.pipelines.process.publish import publish_days
from include.pipelines.process.types import ComparedPlan, GateResult
from include.workloads import Workload
from tests.support.moto_cloud import LAKE, STATE, MotoCloud
from tests.support.tiny_workload import tiny_workload

pytestmark = pytest.mark.stack
FIRST, SECOND = "2013-03-01", "2013-03-02"
GOOD = {"success": True, "critical_failures": []}
NULLS = {"success": False, "critical_failures": ["carrier: 20 % of the values are null"]}
DATABASE = "nightjar"


@pytest.fixture
def catalog(cloud: MotoCloud) -> MotoCloud:
    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    return cloud


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path)


def plan(*days: str, planned_at: str = "2013-03-03T00:00:00.000000Z") -> ComparedPlan:
    return {
        "days": {day: f"fp-{day}" for day in days},
        "days_text": ",".join(days),
        "inputs": "s3://a/inputs.json",
        "submit_key": "k",
        "planned_at": planned_at,
        "code_sha": "abc",
        "rows": 900,
        "bytes": 50_000,
        "recent": "s3://a/recent.json",
        "recent_key": "1",
        "override": None,
        "markers": dict.fromkeys(days, 1),
        "late": [],
        "unprocessed": {"lines": [], "markers": {}},
    }


def audit(run: str, document: Any) -> None:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    ObjectStoreHook().put(LAKE, f"staging/shop/{run}/audit.json", content)


def gate(run: str, planned: ComparedPlan) -> GateResult:
    return gate_days("shop", planned, run, LAKE, objects=ObjectStoreHook(), state=StateHook(STATE))


def publish(workload: Workload, run: str, planned: ComparedPlan, gated: Any) -> list[str]:
    catalog = CatalogHook(DATABASE)
    return publish_days(workload, planned, run, gated, LAKE, catalog=catalog, state=StateHook(STATE))


def process(workload: Workload, run: str, planned: ComparedPlan, days: dict[str, Any]) -> list[str]:
    audit(run, {"days": days})
    return publish(workload, run, planned, gate(run, planned))


def partition(cloud: MotoCloud, day: str, table: str = "shop_offered") -> dict[str, Any] | None:
    client = cloud.client("glue")
    try:
        return client.get_partition(DatabaseName=DATABASE, TableName=table, PartitionValues=[day])["Partition"]
    except client.exceptions.EntityNotFoundException:
        return None


def location(cloud: MotoCloud, day: str) -> str:
    found = partition(cloud, day)
    assert found is not None
    return found["StorageDescriptor"]["Location"]


def status(day: str) -> dict[str, Any]:
    return StateHook(STATE).get(*state_keys.day_key("shop", date.fromisoformat(day))) or {}


def test_a_day_that_passes_is_published(catalog: MotoCloud, workload: Workload) -> None:
    assert process(workload, "r1", plan(FIRST), {FIRST: GOOD}) == [FIRST]
    facts = {"run": "r1", "fingerprint": f"fp-{FIRST}", "code_sha": "abc", "planned_at": "2013-03-03T00:00:00.000000Z"}
    for event in ("offered", "rated"):
        found = partition(catalog, FIRST, f"shop_{event}")
        assert found is not None
        assert found["StorageDescriptor"]["Location"] == f"s3://{LAKE}/staging/shop/r1/{event}/event_date={FIRST}/"
        assert found["Parameters"] == facts
    assert status(FIRST) == {**facts, "status": "published", "markers": 1}
    table = catalog.client("glue").get_table(DatabaseName=DATABASE, Name="shop_offered")["Table"]
    assert table["PartitionKeys"] == [{"Name": "event_date", "Type": "string"}]
    assert {"key", "price", "f_price"} <= {column["Name"] for column in table["StorageDescriptor"]["Columns"]}


def test_a_batch_with_a_fifth_of_nulls_is_not_published_and_the_day_before_still_answers(
    catalog: MotoCloud, workload: Workload
) -> None:
    process(workload, "r1", plan(FIRST), {FIRST: GOOD})
    with pytest.raises(RefusedError, match="20 % of the values are null"):
        process(workload, "r2", plan(SECOND), {SECOND: NULLS})
    assert partition(catalog, SECOND) is None
    assert "r1" in location(catalog, FIRST)
    assert status(SECOND)["status"] == "refused"
    assert "20 %" in status(SECOND)["reason"]


def test_a_refused_day_leaves_what_was_published_of_it_before(catalog: MotoCloud, workload: Workload) -> None:
    process(workload, "r1", plan(FIRST), {FIRST: GOOD})
    with pytest.raises(RefusedError):
        process(workload, "r2", plan(FIRST, planned_at="2013-03-04T00:00:00.000000Z"), {FIRST: NULLS})
    assert "r1" in location(catalog, FIRST)
    assert status(FIRST)["status"] == "refused"


@pytest.mark.parametrize(
    "document", [None, b"", b"{", b"null", b"[]", b"\xff", {"days": {}}, {"days": {FIRST: {**GOOD, "success": "yes"}}}]
)
def test_the_gate_fails_closed(catalog: MotoCloud, document: Any) -> None:
    if document is not None:
        audit("r1", document)
    with pytest.raises(RefusedError, match=FIRST):
        gate("r1", plan(FIRST))
    assert status(FIRST)["status"] == "refused"


def test_the_good_days_of_a_range_are_published_and_then_the_run_is_red(catalog: MotoCloud, workload: Workload) -> None:
    planned = plan(FIRST, SECOND)
    audit("r1", {"days": {FIRST: GOOD, SECOND: NULLS}})
    gated = gate("r1", planned)
    assert publish(workload, "r1", planned, gated) == [FIRST]
    assert partition(catalog, SECOND) is None
    with pytest.raises(RefusedError, match=SECOND):
        require_no_refused_day(gated)
    require_no_refused_day({**gated, "refused": {}})


@pytest.mark.parametrize("gated", [None, "None", {}, {"run": "r1", "passed": []}, {"run": "other", "passed": [FIRST]}])
def test_nothing_is_published_without_a_gate_that_passed_for_this_very_run(
    catalog: MotoCloud, workload: Workload, gated: Any
) -> None:
    with pytest.raises(RefusedError, match="nothing is published"):
        publish(workload, "r1", plan(FIRST), gated)
    assert catalog.client("glue").get_tables(DatabaseName=DATABASE)["TableList"] == []


def test_an_older_run_replaces_nothing_newer_and_a_newer_one_does(catalog: MotoCloud, workload: Workload) -> None:
    old, new = plan(FIRST), plan(FIRST, planned_at="2013-03-04T00:00:00.000000Z")
    process(workload, "new", new, {FIRST: GOOD})
    with pytest.raises(NothingToDoError, match="newer run"):
        process(workload, "old", old, {FIRST: GOOD})
    with pytest.raises(RefusedError):
        process(workload, "old", old, {FIRST: NULLS})
    assert "staging/shop/new/" in location(catalog, FIRST)
    assert status(FIRST)["run"] == "new"
    assert status(FIRST)["status"] == "published"
    assert process(workload, "newest", plan(FIRST, planned_at="2013-03-05T00:00:00.000000Z"), {FIRST: GOOD}) == [FIRST]


def test_publishing_twice_is_publishing_once(catalog: MotoCloud, workload: Workload) -> None:
    assert process(workload, "r1", plan(FIRST), {FIRST: GOOD}) == process(workload, "r1", plan(FIRST), {FIRST: GOOD})
    partitions = catalog.client("glue").get_partitions(DatabaseName=DATABASE, TableName="shop_offered")["Partitions"]
    assert len(partitions) == 1
