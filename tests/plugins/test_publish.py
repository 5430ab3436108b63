"""Planning, gate and publishing against a real catalog API: what readers see after good, bad, repeated and late runs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar import build
from nightjar.objects import ObjectStoreHook
from nightjar.operators.plan import PlanOperator
from nightjar.operators.publish import GateOperator, PublishDaysOperator, RefusedDaysOperator
from nightjar.state.hook import StateHook

from include.lake import fingerprint, layout
from tests.support.moto_cloud import ARTIFACT, LAKE, STATE, MotoCloud

pytestmark = pytest.mark.stack
FIRST, SECOND = "2013-03-01", "2013-03-02"
DAY_PK = layout.day_key("w", date.min)[0]
GOOD = {"success": True, "critical_failures": []}
NULLS = {"success": False, "critical_failures": ["carrier: 20 % of the values are null"]}
DATABASE = "nightjar"
COLUMNS = [("key", "string"), ("event_time", "timestamp")]


@pytest.fixture
def catalog(cloud: MotoCloud) -> MotoCloud:
    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    return cloud


def plan(*days: str, planned_at: str = "2013-03-03T00:00:00.000000Z") -> dict[str, Any]:
    return {"days": {day: f"fp-{day}" for day in days}, "planned_at": planned_at, "code_sha": "abc"}


def audit(run: str, document: Any) -> None:
    ObjectStoreHook().put(
        LAKE,
        f"{layout.staging_prefix('w', run)}audit.json",
        document if isinstance(document, bytes) else json.dumps(document).encode(),
    )


def gate(run: str, planned: dict[str, Any]) -> dict[str, Any]:
    key = layout.staging_prefix("w", "{run}") + "audit.json"
    return GateOperator(
        task_id="gate", plan=planned, run=run, bucket=LAKE, audit_key=key, state_table=STATE, day_pk=DAY_PK
    ).execute({})


def publish(run: str, planned: dict[str, Any], verdict: Any) -> list[str]:
    return PublishDaysOperator(
        task_id="publish",
        gate=verdict,
        plan=planned,
        run=run,
        database=DATABASE,
        tables={
            "w_scheduled": {
                "columns": COLUMNS,
                "location": f"s3://{LAKE}/staging/w/none/scheduled",
                "partition": f"s3://{LAKE}/" + layout.partition_prefix("w", "{run}", "scheduled", "{day}"),
            }
        },
        partition_column=("event_date", "string"),
        state_table=STATE,
        day_pk=DAY_PK,
    ).execute({})


def night(run: str, planned: dict[str, Any], days: dict[str, Any]) -> list[str]:
    audit(run, {"days": days})
    return publish(run, planned, gate(run, planned))


def partition(cloud: MotoCloud, day: str) -> dict[str, Any] | None:
    client = cloud.client("glue")
    try:
        return client.get_partition(DatabaseName=DATABASE, TableName="w_scheduled", PartitionValues=[day])["Partition"]
    except client.exceptions.EntityNotFoundException:
        return None


def status(day: str) -> dict[str, Any] | None:
    return StateHook(STATE).get(DAY_PK, day)


# --- gate and publish ----------------------------------------------------------------------------------------------------


def test_a_day_that_passes_is_published(catalog: MotoCloud) -> None:
    assert night("r1", plan(FIRST), {FIRST: GOOD}) == [FIRST]
    found = partition(catalog, FIRST)
    assert found["StorageDescriptor"]["Location"] == f"s3://{LAKE}/staging/w/r1/scheduled/event_date={FIRST}/"
    facts = {"run": "r1", "fingerprint": f"fp-{FIRST}", "code_sha": "abc", "planned_at": "2013-03-03T00:00:00.000000Z"}
    assert found["Parameters"] == facts
    assert status(FIRST) == {**facts, "status": "published"}
    table = catalog.client("glue").get_table(DatabaseName=DATABASE, Name="w_scheduled")["Table"]
    assert table["PartitionKeys"] == [{"Name": "event_date", "Type": "string"}]


def test_a_batch_with_a_fifth_of_nulls_is_not_published_and_the_day_before_still_answers(catalog: MotoCloud) -> None:
    night("r1", plan(FIRST), {FIRST: GOOD})
    with pytest.raises(AirflowFailException, match="20 % of the values are null"):
        night("r2", plan(SECOND), {SECOND: NULLS})
    assert partition(catalog, SECOND) is None
    assert "r1" in partition(catalog, FIRST)["StorageDescriptor"]["Location"]
    assert status(SECOND)["status"] == "refused"
    assert "20 %" in status(SECOND)["reason"]


def test_a_refused_day_leaves_what_was_published_of_it_before(catalog: MotoCloud) -> None:
    night("r1", plan(FIRST), {FIRST: GOOD})
    with pytest.raises(AirflowFailException):
        night("r2", plan(FIRST, planned_at="2013-03-04T00:00:00.000000Z"), {FIRST: NULLS})
    assert "r1" in partition(catalog, FIRST)["StorageDescriptor"]["Location"]
    assert status(FIRST)["status"] == "refused"


@pytest.mark.parametrize(
    "document", [None, b"", b"{", b"null", b"[]", b"\xff", {"days": {}}, {"days": {FIRST: {**GOOD, "success": "yes"}}}]
)
def test_the_gate_fails_closed(catalog: MotoCloud, document: Any) -> None:
    if document is not None:
        audit("r1", document)
    with pytest.raises(AirflowFailException, match=FIRST):
        gate("r1", plan(FIRST))
    assert status(FIRST)["status"] == "refused"


def test_the_good_days_of_a_range_are_published_and_then_the_run_is_red(catalog: MotoCloud) -> None:
    planned = plan(FIRST, SECOND)
    audit("r1", {"days": {FIRST: GOOD, SECOND: NULLS}})
    verdict = gate("r1", planned)
    assert publish("r1", planned, verdict) == [FIRST]
    assert partition(catalog, SECOND) is None
    with pytest.raises(AirflowFailException, match=SECOND):
        RefusedDaysOperator(task_id="t", gate=verdict).execute({})
    RefusedDaysOperator(task_id="t", gate={**verdict, "refused": {}}).execute({})


@pytest.mark.parametrize(
    "verdict", [None, "None", {}, {"run": "r1", "passed": []}, {"run": "other", "passed": [FIRST]}]
)
def test_nothing_is_published_without_a_gate_that_passed_for_this_very_run(catalog: MotoCloud, verdict: Any) -> None:
    with pytest.raises(AirflowFailException, match="nothing is published"):
        publish("r1", plan(FIRST), verdict)
    assert catalog.client("glue").get_tables(DatabaseName=DATABASE)["TableList"] == []


def test_an_older_run_replaces_nothing_newer_and_a_newer_one_does(catalog: MotoCloud) -> None:
    old, new = plan(FIRST), plan(FIRST, planned_at="2013-03-04T00:00:00.000000Z")
    night("new", new, {FIRST: GOOD})
    with pytest.raises(AirflowSkipException, match="newer run"):
        night("old", old, {FIRST: GOOD})
    with pytest.raises(AirflowFailException):
        night("old", old, {FIRST: NULLS})
    assert "staging/w/new/" in partition(catalog, FIRST)["StorageDescriptor"]["Location"]
    assert status(FIRST)["run"] == "new"
    assert status(FIRST)["status"] == "published"
    assert night("newest", plan(FIRST, planned_at="2013-03-05T00:00:00.000000Z"), {FIRST: GOOD}) == [FIRST]


def test_publishing_twice_is_publishing_once(catalog: MotoCloud) -> None:
    assert night("r1", plan(FIRST), {FIRST: GOOD}) == night("r1", plan(FIRST), {FIRST: GOOD})
    partitions = catalog.client("glue").get_partitions(DatabaseName=DATABASE, TableName="w_scheduled")["Partitions"]
    assert len(partitions) == 1


def test_a_new_column_is_added_to_the_table(catalog: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    night("r1", plan(FIRST), {FIRST: GOOD})
    monkeypatch.setitem(globals(), "COLUMNS", [*COLUMNS, ("f_x", "double")])
    night("r2", plan(SECOND), {SECOND: GOOD})
    table = catalog.client("glue").get_table(DatabaseName=DATABASE, Name="w_scheduled")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["key", "event_time", "f_x"]


# --- the plan ------------------------------------------------------------------------------------------------------------


def raw(day: str, name: str, body: bytes = b"x") -> None:
    lake, key = ObjectStoreHook(), f"{layout.raw_prefix('w', 's')}ingest_date={day}/{name}"
    lake.put_once(LAKE, key, body)
    lake.put(LAKE, layout.marker_key("w", "s", date.fromisoformat(day), key), b"")


def snapshot() -> None:
    ObjectStoreHook().put_once(LAKE, layout.raw_table_key("w", "weather", date(2013, 3, 1), "1", 0), b"rows")
    StateHook(STATE).put(*layout.watermark_key("w", "weather"), {"watermark": "2013-03-01T00:00:00.000000Z"})


@pytest.fixture(autouse=True)
def stamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins and ``include`` of build abc."""
    (tmp_path / "_build.json").write_text(json.dumps({"code_sha": "abc"}))
    monkeypatch.setattr(build, "OWN_BUILD_FILE", tmp_path / "_build.json")


def planner(tmp_path: Path, days: str = FIRST, **changes: Any) -> PlanOperator:
    arguments: dict[str, Any] = {"fresh": "False", "dry_run": "False", "build_file": tmp_path / "_build.json"}
    return PlanOperator(
        task_id="plan",
        days=days,
        workload="w",
        stream="s",
        tables=["weather"],
        job="transform",
        lake_bucket=LAKE,
        artifact_bucket=ARTIFACT,
        state_table=STATE,
        layout=layout,
        fingerprint=fingerprint,
        **{**arguments, **changes},
    )


def test_a_plan_names_exactly_what_the_markers_name_with_checksums(cloud: MotoCloud, tmp_path: Path) -> None:
    snapshot()
    raw(FIRST, "a")
    raw(SECOND, "b")
    planned = planner(tmp_path, days=f"{FIRST},2013-03-09").execute({})
    assert list(planned["days"]) == [FIRST], "a day without raw data is left out"
    document = ObjectStoreHook().get_json(ARTIFACT, planned["inputs"].removeprefix(f"s3://{ARTIFACT}/"))
    assert [entry["key"] for entry in document["stream_objects"]] == [f"raw/w/s/ingest_date={FIRST}/a"]
    head = cloud.client("s3").head_object(Bucket=LAKE, Key=document["stream_objects"][0]["key"], ChecksumMode="ENABLED")
    assert document["stream_objects"][0]["sha256"] == head["ChecksumSHA256"]
    assert len(document["table_objects"]["weather"]) == 1
    assert planned["days"][FIRST] == fingerprint.digest(document)
    assert planner(tmp_path).execute({})["submit_key"] == planned["submit_key"], "the same inputs, the same job"


def test_an_interval_without_raw_data_is_skipped_with_a_text(cloud: MotoCloud, tmp_path: Path) -> None:
    snapshot()
    with pytest.raises(AirflowSkipException, match=f"No raw data for {FIRST}"):
        planner(tmp_path).execute({})


def test_a_day_published_from_the_same_inputs_and_code_is_skipped_unless_fresh(
    cloud: MotoCloud, tmp_path: Path
) -> None:
    snapshot()
    raw(FIRST, "a")
    raw(SECOND, "b")
    planned = planner(tmp_path, days=f"{FIRST},{SECOND}").execute({})
    item = {"status": "published", "fingerprint": planned["days"][FIRST], "code_sha": "abc"}
    StateHook(STATE).put(DAY_PK, FIRST, item)
    with pytest.raises(AirflowSkipException, match="published from the same inputs"):
        planner(tmp_path).execute({})
    assert list(planner(tmp_path, days=f"{FIRST},{SECOND}").execute({})["days"]) == [SECOND]
    assert list(planner(tmp_path, fresh="True").execute({})["days"]) == [FIRST]
    StateHook(STATE).put(DAY_PK, FIRST, {**item, "code_sha": "older"})
    assert list(planner(tmp_path).execute({})["days"]) == [FIRST]
    StateHook(STATE).put(DAY_PK, FIRST, {**item, "status": "refused"})
    assert list(planner(tmp_path).execute({})["days"]) == [FIRST]
    StateHook(STATE).put(DAY_PK, FIRST, item)
    raw(FIRST, "late", b"late")
    assert planner(tmp_path).execute({})["days"][FIRST] != planned["days"][FIRST], "a late correction is a new input"


def test_a_table_without_a_snapshot_stops_the_plan(cloud: MotoCloud, tmp_path: Path) -> None:
    raw(FIRST, "a")
    with pytest.raises(AirflowFailException, match=r"No snapshot of weather.*ingest_tables"):
        planner(tmp_path).execute({})


def test_a_dry_run_writes_nothing(cloud: MotoCloud, tmp_path: Path) -> None:
    snapshot()
    raw(FIRST, "a")
    with pytest.raises(AirflowSkipException, match="Dry run, 1 stream objects"):
        planner(tmp_path, dry_run="True").execute({})
    assert cloud.keys("inputs/", ARTIFACT) == []


def test_an_object_without_a_checksum_is_named(cloud: MotoCloud, tmp_path: Path) -> None:
    snapshot()
    raw(FIRST, "a")
    key = f"{layout.raw_prefix('w', 's')}ingest_date={FIRST}/strange"
    cloud.client("s3").put_object(Bucket=LAKE, Key=key, Body=b"x", ChecksumAlgorithm="CRC32")
    ObjectStoreHook().put(LAKE, layout.marker_key("w", "s", date.fromisoformat(FIRST), key), b"")
    with pytest.raises(ValueError, match="strange has no SHA-256"):
        planner(tmp_path).execute({})


def test_code_that_was_never_stamped_is_not_run(cloud: MotoCloud, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not say which build"):
        planner(tmp_path, build_file=tmp_path / "none.json").execute({})
