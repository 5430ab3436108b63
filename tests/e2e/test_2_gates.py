"""Bad data, late data and bad bundles, each stopped on the running platform, in file order: a test leaves its day behind."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from include.lake import layout
from include.model import bundle
from include.model.engines import FAST_FORMS
from infra.laptop import registry

from .conftest import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def published(loop: Loop, day: date) -> str:
    """Where the catalog's partition of one day points."""
    table = layout.table_name(WORKLOAD, loop.workload.feature_event)
    answer = loop.aws.glue.get_partition(DatabaseName="nightjar", TableName=table, PartitionValues=[str(day)])
    return answer["Partition"]["StorageDescriptor"]["Location"]


def manifests(loop: Loop) -> set[str]:
    return set(loop.keys("artifact", f"datasets/{WORKLOAD}/"))


def test_a_late_correction_changes_the_next_night_only(loop: Loop) -> None:
    """Recorded after night N's cut-off and before night N+1's: N, rebuilt, is the same data set; N+1 is another."""
    night, following = loop.nights
    day = night - timedelta(days=20)
    landed = next(
        event
        for event in loop.replay_day(day)
        if event["event_type"] == "landed" and event["event_time"][:10] == str(day)
    )
    corrected = {
        **landed,
        "recorded_at": f"{following}T12:00:00Z",
        "payload": {**landed["payload"], "arr_delay": landed["payload"]["arr_delay"] + 500},
    }
    loop.send([corrected])
    loop.ingest(following)
    before = published(loop, day)
    loop.run("process", date=str(day))
    assert published(loop, day) != before, "the day was not published anew"

    known = manifests(loop)
    loop.run("retrain", date=str(night), dry_run=True)
    assert manifests(loop) == known, "night N has another data set version after a correction that it could not know"
    loop.run("retrain", date=str(following), dry_run=True)
    assert len(manifests(loop) - known) == 1, "night N+1 did not see the correction"


def test_a_batch_with_a_fifth_of_nulls_is_not_published(loop: Loop) -> None:
    day = loop.nights[1] + timedelta(days=1)
    events = loop.replay_day(loop.nights[1]) + loop.replay_day(day)
    scheduled = [
        event for event in events if event["event_type"] == "scheduled" and event["event_time"][:10] == str(day)
    ]
    for event in scheduled[::5]:
        event["payload"] = {**event["payload"], "carrier": None}
    # Under keys of their own: what the history said of this day is in raw already, and is sound.
    loop.send([{**event, "key": f"{event['key']}-again"} for event in scheduled])
    loop.ingest(day)
    text = loop.red("process", date=str(day))
    assert "refused" in text, text
    with pytest.raises(loop.aws.glue.exceptions.EntityNotFoundException):
        published(loop, day)
    count = loop.query(f"select count(*) from flights_scheduled where event_date = '{loop.nights[1]}'")
    assert int(count[0][0]) > 500, "the day before does not answer any more"
    text = loop.red("retrain", date=str(day))
    assert "refused" in text and not registry.version_of_day(loop.aws, WORKLOAD, day), text


def register(loop: Loop, name: str, data: bytes) -> int:
    """A version with this bundle, approved and of newer data than the live one, as a retrain would have registered it."""
    live = loop.package(int(loop.live()["version"]))
    key = f"tests/{name}-{uuid.uuid4().hex}/bundle.tar.gz"
    loop.aws.s3.put_object(Bucket=loop.bucket("artifact"), Key=key, Body=data)
    uri = f"s3://{loop.bucket('artifact')}/{key}"
    answer = loop.aws.sagemaker.create_model_package(
        ModelPackageGroupName=layout.model_group(WORKLOAD),
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            **live["InferenceSpecification"],
            "Containers": [{**live["InferenceSpecification"]["Containers"][0], "ModelDataUrl": uri}],
        },
        CustomerMetadataProperties={
            **live["CustomerMetadataProperties"],
            "bundle_uri": uri,
            "bundle_digest": bundle.digest(data),
            "data_cutoff": "2013-12-01T00:00:00Z",
            "day": "2013-11-30",
        },
    )
    return int(answer["ModelPackageArn"].rsplit("/", 1)[1])


def broken(loop: Loop, name: str, content: bytes) -> bytes:
    """The live bundle with one file replaced, and sealed again so that every digest is right."""
    package = loop.package(int(loop.live()["version"]))["CustomerMetadataProperties"]
    files = bundle.unpack(registry.content(loop.aws, package["bundle_uri"]))
    manifest: dict[str, Any] = json.loads(files.pop(bundle.MANIFEST))
    fields = {key: value for key, value in manifest.items() if key not in ("format", "files", "engine")}
    return bundle.pack(bundle.seal({**files, name: content}, **fields))


def golden_turned(loop: Loop) -> bytes:
    package = loop.package(int(loop.live()["version"]))["CustomerMetadataProperties"]
    lines = bundle.unpack(registry.content(loop.aws, package["bundle_uri"]))[bundle.GOLDEN].splitlines()
    rows = [json.loads(line) for line in lines]
    return b"\n".join(json.dumps({**row, "probability": 1 - row["probability"]}).encode() for row in rows) + b"\n"


@pytest.mark.parametrize("fault", ["cannot_load", "scores_wrongly"])
def test_a_bad_bundle_ends_red_and_the_old_version_answers(loop: Loop, fault: str) -> None:
    live = loop.live()
    name, content = (
        (FAST_FORMS["onnxruntime"], b"no model") if fault == "cannot_load" else (bundle.GOLDEN, golden_turned(loop))
    )
    version = register(loop, fault, broken(loop, name, content))
    text = loop.red("deploy", version=version)
    assert "rolled back" in text or "ROLLBACK" in text, text
    assert loop.service("/version").json()["model_version"] == str(live["version"])
    assert loop.live()["version"] == live["version"]
    assert loop.package(version)["ModelApprovalStatus"] == "Rejected"
    # The next night: nothing asks for it again, and a person who does is told why not.
    assert "Rejected" in loop.red("deploy", version=version)
    assert int(loop.live()["version"]) == int(live["version"])


def test_a_rollback_is_one_action_and_holds(loop: Loop) -> None:
    live = loop.live()
    if live.get("previous") is None:
        pytest.fail(f"Night N+1 was not promoted, so there is nothing to roll back to: {live}")
    loop.run("deploy", version="previous")
    assert loop.service("/version").json()["model_version"] == str(live["previous"])
    after = loop.live()
    assert after["version"] == live["previous"] and after["hold"] is True
    loop.run("deploy", version=str(live["previous"]), release_hold=True)
    assert loop.live()["hold"] is False
