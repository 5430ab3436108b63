from __future__ import annotations

import json
import signal

import pytest

from include.model import bundle, exit_codes, golden
from infra.laptop.free_ports import free_port
from tests.support.bundles import Creates, seal_text, text_files
from tests.support.service import Service, StartService

pytestmark = pytest.mark.stack


def test_version_describes_the_served_model(service: Service):
    answer = service.client.get("/version").json()
    assert answer == {
        "workload": "texts",
        "model_version": "7",
        "bundle_digest": answer["bundle_digest"],
        "deploy_revision": None,
        "dataset_version": "d" * 64,
        "cutoff": "2013-03-01T00:00:00Z",
        "code_sha": "c" * 40,
        "engine": answer["engine"],
        "engine_microseconds": answer["engine_microseconds"],
        "parity": answer["parity"],
        "processes": 1,
    }
    assert service.client.get("/health").json() == {"status": "alive"}


def test_golden_scores_the_golden_rows_again(service: Service):
    answer = service.client.get("/golden").json()
    assert answer["ok"] and answer["rows"] >= golden.MINIMUM_GOLDEN_ROWS and answer["max_difference"] <= 1e-6


def test_openapi_is_made_from_the_bundles_schema(service: Service):
    document = service.client.get("/openapi.json").json()
    record = document["components"]["schemas"]["Record"]
    assert record["required"] == ["text_length", "num_keywords"] and record["additionalProperties"] is False
    assert record["properties"]["num_keywords"] == {
        "type": "integer",
        "exclusiveMinimum": -1e15,
        "exclusiveMaximum": 1e15,
        "description": "Usually at least 0. Usually at most 100.",
        "examples": [3],
    }
    statuses = set(document["paths"]["/predict"]["post"]["responses"])
    assert statuses == {"200", "400", "401", "408", "413", "415", "422", "429", "503"}
    assert service.client.get("/docs").status_code == 200


def test_a_wrong_digest_ends_the_process_and_unpickles_nothing(start: StartService, tmp_path):
    trap = tmp_path / "trap"
    service = start(bundle.pack(text_files(Creates(trap))), BUNDLE_DIGEST="0" * 64)
    assert service.exit_code() == 3
    assert "was requested; nothing was loaded" in service.text() and not trap.exists()


def test_a_bundle_that_cannot_be_fetched_ends_with_a_code_of_its_own(start: StartService):
    """A denied call or an S3 that does not answer is no fault of the version: a deploy does not reject it."""
    service = start(
        bundle.pack(text_files()),
        BUNDLE_URI="s3://artifact/bundle.tar.gz",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}",
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",
        AWS_DEFAULT_REGION="us-east-1",
    )
    assert service.exit_code() == exit_codes.SOURCE
    assert "cannot be fetched" in service.text()


def test_ready_reports_wrong_golden_rows_and_the_process_ends(start: StartService):
    files = text_files()
    lines = [json.loads(line) for line in files[bundle.GOLDEN].splitlines()]
    lines[0]["probability"] = 0.123
    wrong = seal_text(files[bundle.MODEL], b"\n".join(json.dumps(line).encode() for line in lines))
    service = start(bundle.pack(wrong), EXIT_DELAY_SECONDS="3")
    service.until("/health", 200)
    while "being loaded" in (reason := service.until("/ready", 503).json()["reason"]):
        pass
    assert reason.startswith("The bundle does not score as it did in training: golden row 1 scores")
    assert service.client.post("/predict", json={"text_length": 1, "num_keywords": 1}).status_code == 503
    assert service.client.get("/version").status_code == 503
    assert service.exit_code() == 3
    assert "golden row 1 scores" in service.text()


@pytest.mark.parametrize(
    ("packed", "environment", "reason"),
    [
        (b"no bundle", {}, "not a readable gzip"),
        (
            bundle.pack(text_files(workload="other")),
            {},
            "belongs to workload other, but WORKLOAD is texts. Correct BUNDLE_URI or WORKLOAD.",
        ),
        (bundle.pack(text_files()), {"BUNDLE_URI": "file:///nowhere/bundle.tar.gz"}, "No such file"),
    ],
)
def test_a_bundle_that_cannot_be_served(start: StartService, packed: bytes, environment: dict[str, str], reason: str):
    service = start(packed, **environment)
    assert service.exit_code() == 3
    assert reason in service.text()


def test_wrong_settings_name_every_variable(start: StartService):
    service = start(b"", BUNDLE_DIGEST="short", MODEL_VERSION="", MAX_BATCH="many")
    assert service.exit_code() != 0
    assert all(name in service.text() for name in ("BUNDLE_DIGEST", "MODEL_VERSION", "MAX_BATCH"))


def test_sigterm_stops_gracefully(start: StartService):
    service = start(bundle.pack(text_files()))
    service.until("/ready", 200)
    service.process.send_signal(signal.SIGTERM)
    assert service.exit_code() == 0
    assert "The service stops" in service.text()
