"""Late data, bad data and bad bundles on the running stack, and a rollback.

The tests run in the order of this file, because each one's data remain for the next.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from include.lake import layout, resources
from include.model import bundle
from include.model.engines import FAST_FORMS
from include.pipelines.backfill import backfill_name
from infra.laptop.progress import Reporter
from tests.support.airflow_ui import AirflowUi
from tests.support.loop import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def published(loop: Loop, day: date) -> str:
    """The location of the catalog's partition of one day."""
    table = resources.table_name(WORKLOAD, loop.workload.feature_event)
    answer = loop.aws.glue.get_partition(DatabaseName="nightjar", TableName=table, PartitionValues=[str(day)])
    return answer["Partition"]["StorageDescriptor"]["Location"]


def described_table(loop: Loop) -> dict[str, Any]:
    """The catalog's table of the feature event."""
    name = resources.table_name(WORKLOAD, loop.workload.feature_event)
    return dict(loop.aws.glue.get_table(DatabaseName="nightjar", Name=name)["Table"])


def outdate_table(loop: Loop) -> list[dict[str, str]]:
    """Removes the table's last column, as if an older version had made it; returns the columns before."""
    table = described_table(loop)
    columns: list[dict[str, str]] = table["StorageDescriptor"]["Columns"]
    kept = {name: table[name] for name in ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")}
    kept["StorageDescriptor"] = {**table["StorageDescriptor"], "Columns": columns[:-1]}
    loop.aws.glue.update_table(DatabaseName="nightjar", TableInput=kept)
    return columns


def manifests(loop: Loop) -> set[str]:
    """The keys of all data set manifests."""
    return set(loop.keys("artifact", f"datasets/{WORKLOAD}/"))


def landed_on(loop: Loop, day: date) -> dict[str, Any]:
    """A label event of a day."""
    events = (event for event in loop.recorded_on(day) if event["event_type"] == "landed")
    return next(event for event in events if event["event_time"][:10] == str(day))


def backfilled(loop: Loop, ui: AirflowUi, days: list[date]) -> dict[str, Any]:
    """Backfills from the first to the last of the days, a week a chunk, as a person does in the UI; returns the report.

    The plan costs more than the person's limit, so it waits for an approval. The same backfill again starts nothing.
    """
    dag_id = f"{WORKLOAD}_backfill"
    form: dict[str, Any] = {"from_date": str(days[0]), "to_date": str(days[-1]), "chunk_days": "7", "concurrency": "2"}
    run_id = ui.start(loop.airflow, dag_id, **form, approve_above_usd="0")
    ui.approve(loop.airflow, dag_id, run_id, "approve")
    loop.airflow.follow(dag_id, run_id, Reporter())
    ui.open_run(dag_id, run_id, "report")
    assert ui.follow_link("Report") == 200
    name = backfill_name(str(days[0]), str(days[-1]), run_id)
    report: dict[str, Any] = json.loads(loop.read("artifact", layout.backfill_key(WORKLOAD, name, "report.json")))
    started = loop.job_runs()
    again = loop.run("backfill", **{**form, "chunk_days": 7, "concurrency": 2})
    assert again.tasks["plan"] == "skipped" and loop.job_runs() == started, "the second backfill has started jobs"
    return report


def test_a_late_correction_is_backfilled_and_changes_no_data_set_of_the_past(loop: Loop, ui: AirflowUi) -> None:
    """Corrections that claim to be recorded before a cut-off, but arrive after the stream was complete up to it."""
    first, second = loop.days
    days = [first - timedelta(days=ago) for ago in (30, 20)]  # neither in the late window of the other
    day, landed = days[-1], [landed_on(loop, day) for day in days]
    for event in landed:
        event["recorded_at"] = f"{second}T12:00:00Z"
        event["payload"] = {**event["payload"], "arr_delay": event["payload"]["arr_delay"] + 500}
    loop.send(landed)
    loop.aws.kinesis.put_record(StreamName=loop.workload.stream.name, PartitionKey="rubbish", Data=b"no record")
    columns = outdate_table(loop)
    loop.ingest(second)
    quarantine = layout.quarantine_prefix(WORKLOAD, loop.workload.stream.name)
    assert loop.keys("lake", quarantine), "rubbish was not quarantined"
    loop.run("requeue")
    assert any("requeued-" in key for key in loop.keys("lake", quarantine)), "it was not read again, and refused again"
    before = [published(loop, day) for day in days]
    report = backfilled(loop, ui, days)
    assert report["published"] == [str(day) for day in days] and report["skipped"] == 9, "the days between are as new"
    assert all(published(loop, day) != old for day, old in zip(days, before, strict=True)), "it was not published again"
    assert described_table(loop)["StorageDescriptor"]["Columns"] == columns, "the table kept its outdated columns"

    cutoff = f"{second + timedelta(days=1)} 00:00:00"
    versions = loop.query(
        f"select \"known_at\" >= timestamp '{cutoff}' from flights_landed "
        f"where event_date = '{day}' and \"key\" = '{landed[-1]['key']}' order by \"known_at\""
    )
    assert versions == [["false"], ["true"]], "the correction is not kept beside what it corrects, as known later"

    known = manifests(loop)
    for night in (first, second):
        loop.run("retrain", date=str(night))
        assert manifests(loop) == known, f"the data set of {night} has changed"


def test_a_day_with_a_fifth_of_nulls_is_not_published(loop: Loop) -> None:
    last_day = loop.days[1]
    day = last_day + timedelta(days=1)
    events = loop.recorded_on(last_day) + loop.recorded_on(day)
    scheduled = [
        event for event in events if event["event_type"] == "scheduled" and event["event_time"][:10] == str(day)
    ]
    for event in scheduled[::5]:
        event["payload"] = {**event["payload"], "carrier": None}
    # With other keys, because the unchanged events of this day are in raw already.
    loop.send([{**event, "key": f"{event['key']}-again"} for event in scheduled])
    loop.ingest(day)
    text = loop.failed_run("process", date=str(day))
    assert "refused" in text, text
    with pytest.raises(loop.aws.glue.exceptions.EntityNotFoundException):
        published(loop, day)
    count = loop.query(f"select count(*) from flights_scheduled where event_date = '{last_day}'")
    assert int(count[0][0]) > 500, "the day before is not readable any more"
    text = loop.failed_run("retrain", date=str(day))
    assert "refused" in text and loop.registered(day) is None, text


def with_file(loop: Loop, name: str, content: bytes) -> bytes:
    """The live bundle with one file replaced and all digests recomputed."""
    files = loop.live_files()
    manifest: dict[str, Any] = json.loads(files.pop(bundle.MANIFEST))
    fields = {key: value for key, value in manifest.items() if key not in ("format", "files", "engine")}
    return bundle.pack(bundle.seal({**files, name: content}, **fields))


def wrong_golden_rows(loop: Loop) -> bytes:
    """The live bundle's golden rows, each with the opposite probability."""
    lines = loop.live_files()[bundle.GOLDEN].splitlines()
    rows = [json.loads(line) for line in lines]
    return b"\n".join(json.dumps({**row, "probability": 1 - row["probability"]}).encode() for row in rows) + b"\n"


@pytest.mark.parametrize("fault", ["cannot_load", "scores_wrongly"])
def test_a_bad_bundle_is_rejected_and_the_old_version_stays(loop: Loop, fault: str) -> None:
    live = loop.live()
    form = FAST_FORMS[loop.service("/version").json()["engine"]]
    name, content = (form, b"no model") if fault == "cannot_load" else (bundle.GOLDEN, wrong_golden_rows(loop))
    version = loop.register(with_file(loop, name, content))
    text = loop.failed_run("deploy", version=version)
    assert "rolled back" in text or "ROLLBACK" in text, text
    assert loop.service("/version").json()["model_version"] == str(live["version"])
    assert loop.live()["version"] == live["version"]
    assert loop.package(version)["ModelApprovalStatus"] == "Rejected"
    # A second deploy of the version fails too, with the reason.
    assert "Rejected" in loop.failed_run("deploy", version=version)
    assert int(loop.live()["version"]) == int(live["version"])


def test_a_rollback_by_the_form_is_one_deploy_and_sets_a_hold(loop: Loop, ui: AirflowUi) -> None:
    live = loop.live()
    if live.get("previous") is None:
        pytest.fail(f"The second version was not promoted, so there is no version to roll back to: {live}")
    ui.run(loop.airflow, f"{WORKLOAD}_deploy", version="previous")
    assert loop.service("/version").json()["model_version"] == str(live["previous"])
    after = loop.live()
    assert after["version"] == live["previous"] and after["hold"] is True
    loop.run("deploy", version=str(live["previous"]), release_hold=True)
    assert loop.live()["hold"] is False
