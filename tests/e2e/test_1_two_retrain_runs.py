"""The results of ``make run``: objects in S3, rows in tables, and responses of the service."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import time
import uuid
from datetime import timedelta
from itertools import combinations
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.lake import layout
from include.lake.manifest import dataset_version
from include.lake.uris import split_s3_uri
from include.model import bundle, golden
from infra.laptop import registry
from infra.localcloud import request_file
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_every_record_is_in_raw_exactly_once(loop: Loop) -> None:
    replayed = [events for day, events in loop.recorded.items() if day <= str(loop.days[1])]
    records: list[tuple[str, str]] = []
    for key in loop.keys("raw", layout.raw_prefix(WORKLOAD, loop.workload.stream.name)):
        lines = gzip.decompress(loop.read("raw", key)).splitlines()
        records += [(line["shard_id"], line["sequence_number"]) for line in map(json.loads, lines)]
    assert len(records) == len(set(records)) == sum(map(len, replayed)) > 100_000


@pytest.mark.parametrize(("dag", "time"), [("process", "00:30:00"), ("retrain", "02:00:00")])
def test_the_nights_were_made_by_the_scheduler(loop: Loop, dag: str, time: str) -> None:
    runs = [run for run in loop.airflow.runs(f"{WORKLOAD}_{dag}", 50) if run["run_type"] == "scheduled"]
    found = {(run["state"], run["data_interval_start"], run["data_interval_end"]) for run in runs}
    assert found == {("success", f"{day}T{time}Z", f"{day + timedelta(days=1)}T{time}Z") for day in loop.days}
    assert len(runs) == len(loop.days)


def test_the_days_before_the_first_night_were_processed_by_one_run(loop: Loop) -> None:
    given = [run["conf"] for run in loop.airflow.runs(f"{WORKLOAD}_process", 50) if run["run_type"] == "manual"]
    last = loop.days[0] - timedelta(days=1)
    assert {"date": str(loop.config.first_day), "end_date": str(last)} in given


def test_the_service_runs_the_live_version(loop: Loop) -> None:
    live, metadata = loop.live(), loop.live_metadata()
    version = loop.service("/version").json()
    assert version["bundle_digest"] == live["bundle_digest"] == metadata["bundle_digest"]
    assert version["model_version"] == str(live["version"])
    assert (version["dataset_version"], version["cutoff"]) == (metadata["dataset_version"], metadata["data_cutoff"])


def test_the_service_uses_the_fast_engine_that_passed_the_parity_gate(loop: Loop) -> None:
    version = loop.service("/version").json()
    passed = next(report for report in version["parity"] if report["passed"])
    if passed["engine"] != "native":  # a machine without a compiler
        assert "is not installed" in version["parity"][0]["reason"] and passed["engine"] == "onnxruntime"
    assert passed["engine"] == version["engine"] and passed["rows"] >= 10_000 and passed["on_threshold"] > 1000
    assert passed["max_difference"] <= 1e-6 and passed["flipped"] == 0


def test_a_prediction_is_logged_in_the_lake(loop: Loop) -> None:
    metadata = loop.live_metadata()
    row = json.loads(loop.live_files()[bundle.GOLDEN].splitlines()[0])
    response = loop.service("/predict", row["request"])
    logged = logged_predictions(loop, response.headers["x-request-id"])
    assert len(logged) == 1, "the prediction is not in the lake"
    assert logged[0]["probability"] == response.json()["probability"]
    assert logged[0]["bundle_digest"] == metadata["bundle_digest"]
    assert logged[0]["features"]["carrier"] == row["request"]["carrier"]


def test_a_request_that_asks_for_it_is_traced(loop: Loop) -> None:
    row = json.loads(loop.live_files()[bundle.GOLDEN].splitlines()[0])
    trace_id = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    headers = {"x-amzn-trace-id": f"Root={trace_id};Sampled=1", "x-request-id": "traced"}
    assert loop.service("/predict", row["request"], headers=headers).status_code == 200
    (trace,) = until(lambda: loop.aws.xray.batch_get_traces(TraceIds=[trace_id])["Traces"], "the trace is in X-Ray")
    (segment,) = [json.loads(one["Document"]) for one in trace["Segments"]]
    assert (segment["name"], segment["annotations"]["request_id"]) == (f"nightjar-{WORKLOAD}", "traced")
    assert segment["service"]["version"] == str(loop.live()["version"])


def logged_predictions(loop: Loop, request_id: str, seconds: float = 60) -> list[dict[str, Any]]:
    """The lines of the prediction log with this request id, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.5)
        keys = loop.keys("lake", layout.predictions_prefix(WORKLOAD))
        lines = [json.loads(line) for key in keys for line in loop.read("lake", key).splitlines()]
        if logged := [line for line in lines if line["request_id"] == request_id]:
            return logged
    return []


def test_the_service_scores_golden_rows_as_training_did(loop: Loop) -> None:
    metadata = loop.live_metadata()
    data = registry.content(loop.aws, metadata["bundle_uri"])
    assert hashlib.sha256(data).hexdigest() == metadata["bundle_digest"]
    for row in golden.parse_lines(bundle.unpack(data)[bundle.GOLDEN])[:5]:
        answer = loop.service("/predict", row.request).json()
        assert answer["probability"] == pytest.approx(row.probability, abs=1e-9)
        assert answer["prediction"] == row.prediction


def test_an_invalid_request_is_answered_with_its_field(loop: Loop) -> None:
    response = loop.service("/predict", {"carrier": 3})
    assert response.status_code == 422 and "carrier" in {problem["field"] for problem in response.json()["fields"]}


def test_challenger_and_champion_are_compared_on_one_test_set(loop: Loop) -> None:
    first, second = (loop.metadata(day) for day in loop.days)
    assert first["dataset_version"] != second["dataset_version"] and first["data_cutoff"] < second["data_cutoff"]
    evaluation = registry.document(loop.aws, second["evaluation_uri"])
    assert evaluation["candidate"]["rows"] == evaluation["champion"]["rows"] > 1000
    assert evaluation["difference"]["low"] <= evaluation["difference"]["auc"] <= evaluation["difference"]["high"]
    content = registry.content(loop.aws, second["evaluation_uri"])
    assert hashlib.sha256(content).hexdigest() == second["evaluation_sha256"]


def test_a_data_set_matches_its_manifest(loop: Loop) -> None:
    for day in loop.days:
        version = loop.metadata(day)["dataset_version"]
        manifest = json.loads(loop.read("artifact", layout.dataset_manifest_key(WORKLOAD, version)))
        assert manifest["version"] == version == dataset_version(manifest)
        assert manifest["inputs"], "the manifest names no raw object"
        keys: dict[str, set[str]] = {}
        _, prefix = split_s3_uri(manifest["location"])
        for object_key in loop.keys("lake", prefix):
            table = pq.read_table(io.BytesIO(loop.read("lake", object_key)), columns=["key"])
            split = object_key.split("split=")[1].split("/")[0]
            keys.setdefault(split, set()).update(table.column("key").to_pylist())
        rows = {split: entry["rows"] for split, entry in manifest["splits"].items()}
        assert {split: len(found) for split, found in keys.items()} == rows
        assert set(keys) == {"train", "validation", "test"}
        assert all(one.isdisjoint(other) for one, other in combinations(keys.values(), 2)), "a key is in two splits"


def test_every_day_of_the_history_is_published(loop: Loop) -> None:
    days = dict(loop.query("select event_date, count(*) from flights_scheduled group by event_date"))
    assert len(days) == loop.config.history_days + 1
    assert all(int(count) > 500 for count in days.values())


def test_every_part_makes_its_requests_with_its_own_role(loop: Loop) -> None:
    services: dict[str, set[str]] = {}
    for line in request_file.read(loop.config.state / "cloud"):
        services.setdefault(line["role"].rsplit("/", 1)[-1], set()).add(line["service"])
    assert {"nightjar-airflow", "nightjar-glue", "nightjar-sagemaker", "nightjar-flights-ecs-task"} <= set(services), (
        services
    )


def test_status_reports_what_is_live_and_registered(loop: Loop) -> None:
    report = loop.status()
    assert report["running"] and report["workloads"][WORKLOAD]["live"]["version"] == loop.live()["version"]
    assert len(report["workloads"][WORKLOAD]["versions"]) >= 2
