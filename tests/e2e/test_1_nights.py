"""What two nights of ``make run`` leave behind: objects, rows and answers, not states."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import time
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from include.lake import layout
from include.lake.manifest import dataset_version
from include.model import bundle
from infra.laptop import registry, replay

from .conftest import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_every_record_is_in_raw_exactly_once(loop: Loop) -> None:
    config = loop.config
    first, end = config.first_day - timedelta(days=1), loop.nights[1] + timedelta(days=1)
    history = replay.History(loop.workload, config.data, first, end).by_day
    seen = []
    for key in loop.keys("lake", layout.raw_prefix(WORKLOAD, loop.workload.stream.name)):
        lines = gzip.decompress(loop.read("lake", key)).splitlines()
        seen += [(line["shard_id"], line["sequence_number"]) for line in map(json.loads, lines)]
    assert len(seen) == len(set(seen)) == sum(map(len, history.values())) > 100_000


def test_the_live_version_is_the_one_that_answers(loop: Loop) -> None:
    live = loop.live()
    package = loop.package(int(live["version"]))["CustomerMetadataProperties"]
    answer = loop.service("/version").json()
    assert answer["bundle_digest"] == live["bundle_digest"] == package["bundle_digest"]
    assert answer["model_version"] == str(live["version"])
    assert (answer["dataset_version"], answer["cutoff"]) == (package["dataset_version"], package["data_cutoff"])


def test_it_is_served_by_the_fast_engine_that_passed_the_gate(loop: Loop) -> None:
    answer = loop.service("/version").json()
    assert answer["engine"] == "onnxruntime"
    passed = next(report for report in answer["parity"] if report["passed"])
    assert passed["engine"] == "onnxruntime" and passed["rows"] >= 10_000 and passed["on_threshold"] > 1000
    assert passed["max_difference"] <= 1e-6 and passed["flipped"] == 0


def test_predictions_reach_the_lake(loop: Loop) -> None:
    package = loop.package(int(loop.live()["version"]))["CustomerMetadataProperties"]
    golden = json.loads(bundle.unpack(registry.content(loop.aws, package["bundle_uri"]))[bundle.GOLDEN].splitlines()[0])
    asked = loop.service("/predict", golden["request"])
    request_id = asked.headers["x-request-id"]
    end = time.monotonic() + 60
    logged: list[dict] = []
    while not logged and time.monotonic() < end:
        time.sleep(0.5)
        keys = loop.keys("lake", layout.predictions_prefix(WORKLOAD))
        lines = [json.loads(line) for key in keys for line in loop.read("lake", key).splitlines()]
        logged = [line for line in lines if line["request_id"] == request_id]
    assert len(logged) == 1, "the prediction is not in the lake"
    assert (
        logged[0]["probability"] == asked.json()["probability"]
        and logged[0]["bundle_digest"] == package["bundle_digest"]
    )
    assert logged[0]["features"]["carrier"] == golden["request"]["carrier"]


def test_it_predicts_what_training_computed(loop: Loop) -> None:
    package = loop.package(int(loop.live()["version"]))["CustomerMetadataProperties"]
    data = registry.content(loop.aws, package["bundle_uri"])
    assert hashlib.sha256(data).hexdigest() == package["bundle_digest"]
    for row in bundle.golden_rows(bundle.unpack(data)[bundle.GOLDEN])[:5]:
        answer = loop.service("/predict", row.request).json()
        assert answer["probability"] == pytest.approx(row.probability, abs=1e-9)
        assert answer["prediction"] == row.prediction


def test_a_wrong_request_is_told_its_field(loop: Loop) -> None:
    answer = loop.service("/predict", {"carrier": 3})
    assert answer.status_code == 422 and "carrier" in {problem["field"] for problem in answer.json()["fields"]}


def test_the_challenger_met_the_champion_on_other_data_with_another_cut_off(loop: Loop) -> None:
    first, second = (
        registry.version_of_day(loop.aws, WORKLOAD, night)["CustomerMetadataProperties"] for night in loop.nights
    )
    assert first["dataset_version"] != second["dataset_version"] and first["data_cutoff"] < second["data_cutoff"]
    evaluation = registry.document(loop.aws, second["evaluation_uri"])
    assert evaluation["candidate"]["rows"] == evaluation["champion"]["rows"] > 1000
    assert evaluation["difference"]["low"] <= evaluation["difference"]["auc"] <= evaluation["difference"]["high"]
    assert (
        hashlib.sha256(registry.content(loop.aws, second["evaluation_uri"])).hexdigest() == second["evaluation_sha256"]
    )


def test_a_data_set_is_what_its_manifest_says(loop: Loop) -> None:
    for night in loop.nights:
        package = registry.version_of_day(loop.aws, WORKLOAD, night)["CustomerMetadataProperties"]
        version = package["dataset_version"]
        manifest = json.loads(loop.read("artifact", layout.dataset_manifest_key(WORKLOAD, version)))
        assert manifest["version"] == version == dataset_version(manifest)
        assert manifest["inputs"], "no raw object is named"
        prefix = manifest["location"].split("/", 3)[3]
        keys: dict[str, set[str]] = {}
        for key in loop.keys("lake", prefix):
            rows = pq.read_table(io.BytesIO(loop.read("lake", key)), columns=["key"]).column("key").to_pylist()
            keys.setdefault(key.split("split=")[1].split("/")[0], set()).update(rows)
        assert {split: len(found) for split, found in keys.items()} == {
            s: m["rows"] for s, m in manifest["splits"].items()
        }
        assert (
            not keys["train"] & keys["test"]
            and not keys["validation"] & keys["test"]
            and not keys["train"] & keys["validation"]
        )


def test_published_days_are_what_raw_holds(loop: Loop) -> None:
    days = dict(loop.query("select event_date, count(*) from flights_scheduled group by event_date"))
    assert len(days) == loop.config.history_days + 1
    assert all(int(count) > 500 for count in days.values())


def test_every_part_asked_with_a_role_of_its_own(loop: Loop) -> None:
    lines = (loop.config.state / "cloud" / "requests.jsonl").read_text().splitlines()
    by_service: dict[str, set[str]] = {}
    for line in map(json.loads, lines):
        by_service.setdefault(line["role"].rsplit("/", 1)[-1], set()).add(line["service"])
    assert len({role for role in by_service if role != "operator"}) >= 4, by_service


def test_no_task_waits_in_a_worker(loop: Loop) -> None:
    """A sensor that had to wait has given its worker slot back, and no other task takes long (a minute: machines are shared)."""
    deferred = []
    for dag_id in (f"{WORKLOAD}_{dag}" for dag in ("process", "retrain", "deploy")):
        for run in loop.airflow.runs(dag_id):
            for task in loop.airflow.tasks(dag_id, run["dag_run_id"]):
                seconds = task["duration"] or 0
                if task["operator"].endswith("Sensor") and seconds > 15:
                    log = "\n".join(loop.airflow.log(dag_id, run["dag_run_id"], task))
                    assert "Pausing task as DEFERRED" in log, f"{task['task_id']} took {seconds} s of a worker:\n{log}"
                    deferred.append(task["task_id"])
                elif not task["operator"].endswith("Sensor"):
                    assert seconds < 60, f"{task['task_id']} took {seconds} s of a worker"
    assert "transform" in deferred, "no run had a task that waits: this test has seen nothing"


def test_status_tells_it_as_json(loop: Loop) -> None:
    from infra.laptop.status import status

    told = status(loop.config)
    assert told["running"] and told["workloads"][WORKLOAD]["live"]["version"] == loop.live()["version"]
    assert len(told["workloads"][WORKLOAD]["versions"]) >= 2
