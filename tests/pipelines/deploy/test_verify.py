"""A deploy is green only when the service serves the deployed version, several times in a row.

It must also score as in training.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook
from nightjar.objects import ObjectStoreHook

from include.pipelines.deploy import Verification, VerificationError, VersionFaultError, verify

pytestmark = pytest.mark.stack

GOLDEN = {"request": {"carrier": "UA"}, "probability": 0.25, "prediction": 0}


def archive(**files: str) -> bytes:
    """A tar.gz of files by their names without the suffix."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo({"golden": "golden.jsonl"}.get(name, f"{name}.joblib"))
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


BUNDLE = archive(model="x" * 100_000, golden=json.dumps(GOLDEN) + "\n{}\n", after="y" * 100_000)
DIGEST = hashlib.sha256(BUNDLE).hexdigest()


class Service:
    """A service. Its answers to ``/version`` are given one after the other, the last for ever."""

    def __init__(self) -> None:
        self.versions: list[dict[str, Any]] = [{"model_version": "3", "bundle_digest": DIGEST, "deploy_revision": 7}]
        self.golden: dict[str, Any] = {"rows": 20, "max_difference": 0.0, "ok": True}
        self.prediction: dict[str, Any] = {"prediction": 0, "probability": 0.25, "model_version": "3"}
        self.statuses: dict[str, list[int]] = {}  # by path; the last one for ever
        self.asked: list[str] = []
        self.keys: list[str | None] = []

    def answer(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if path == "/version":
            return self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        return {"/golden": self.golden, "/predict": self.prediction}[path]


@pytest.fixture
def service(aws: Any) -> Iterator[Service]:
    running = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps(running.answer(self.path)).encode()
            running.keys.append(self.headers.get("X-Api-Key"))
            given = running.statuses.get(self.path, [200])
            self.send_response(given.pop(0) if len(given) > 1 else given[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    aws("ssm").put_parameter(
        Name="/nightjar/flights/service_url", Value=f"http://127.0.0.1:{server.server_port}", Type="String"
    )
    aws("s3").create_bucket(Bucket="artifact")
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=BUNDLE)
    yield running
    server.shutdown()


def run(api_key_secret: str = "", digest: str = DIGEST) -> Verification:
    target: Any = {
        "version": 3,
        "revision": 7,
        "bundle_digest": digest,
        "bundle_uri": "s3://artifact/bundle.tar.gz",
    }
    hooks = SsmHook(aws_conn_id=None), SecretsManagerHook(aws_conn_id=None), ObjectStoreHook()
    return verify("flights", target, *hooks, api_key_secret=api_key_secret, pause_seconds=0)


def test_green(service: Service) -> None:
    assert run()["prediction"] == service.prediction
    assert service.asked == ["/version"] * 5 + ["/golden", "/predict"]


def test_the_old_version_in_between_starts_the_count_again(service: Service) -> None:
    old, new = {"model_version": "2", "bundle_digest": "old"}, service.versions[0]
    service.versions = [new, new, new, new, old, new]
    run()
    assert service.asked.count("/version") == 10


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("golden", {"rows": 20, "max_difference": 0.3, "ok": False}, "golden rows"),
        ("golden", {"detail": "not found"}, "golden rows"),
        ("prediction", {"prediction": 0, "probability": 0.26}, r"expected 0\.25"),
        ("prediction", {"prediction": 0, "probability": None}, r"expected 0\.25"),
        ("prediction", {"detail": "not what was asked for"}, r"expected 0\.25"),
        ("prediction", [0.25], "not a JSON object"),
    ],
)
def test_a_version_that_scores_wrongly_is_at_fault(service: Service, attribute: str, value: Any, reason: str) -> None:
    setattr(service, attribute, value)
    with pytest.raises(VersionFaultError, match=reason):
        run()


@pytest.mark.parametrize("status", [500, 422])
def test_a_golden_row_that_is_refused_is_the_versions_fault(service: Service, status: int) -> None:
    service.statuses["/predict"] = [status]
    with pytest.raises(VersionFaultError, match=f"HTTP {status}"):
        run()


def blameless() -> str:
    """Verifies; the failure must not be the version's fault."""
    with pytest.raises(VerificationError) as failure:
        run()
    assert not isinstance(failure.value, VersionFaultError)
    return str(failure.value)


@pytest.mark.parametrize(
    ("version", "digest", "revision", "reason"),
    [
        ("3", "other", 7, "bundle_digest"),
        ("2", DIGEST, 7, "model_version"),
        ("3", DIGEST, 6, "deploy_revision"),  # the tasks of before, where a deploy changes the image alone
        ("3", DIGEST, None, "deploy_revision"),
    ],
)
def test_another_version_in_the_service_is_not_the_versions_fault(
    service: Service, version: str, digest: str, revision: int | None, reason: str
) -> None:
    service.versions = [{"model_version": version, "bundle_digest": digest, "deploy_revision": revision}]
    assert reason in blameless()


@pytest.mark.parametrize("path", ["/golden", "/predict"])
@pytest.mark.parametrize("status", [401, 403, 429, 502, 503, 504])
def test_a_service_that_does_not_answer_is_not_the_versions_fault(service: Service, path: str, status: int) -> None:
    """This was red before: one 503 of the load balancer, or a refused API key, rejected the version."""
    service.statuses[path] = [status]
    assert f"HTTP {status}" in blameless()


def test_an_interruption_is_waited_for(service: Service) -> None:
    service.statuses = {"/golden": [503, 200], "/predict": [429, 502, 200]}
    assert run()["prediction"] == service.prediction


def test_no_answer_is_red(service: Service, aws: Any) -> None:
    aws("ssm").put_parameter(
        Name="/nightjar/flights/service_url", Value="http://127.0.0.1:14759", Type="String", Overwrite=True
    )
    assert "refused" in blameless()


def test_an_api_key_is_sent_with_the_prediction_only(service: Service, aws: Any) -> None:
    aws("secretsmanager").create_secret(Name="verify", SecretString="nj_key\n")
    run(api_key_secret="verify")
    assert service.keys == [None] * 6 + ["nj_key"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(archive(model=""), r"holds no golden\.jsonl"), (b"no archive", "not a Nightjar bundle")],
    ids=["no golden rows", "no archive"],
)
def test_a_bundle_without_golden_rows_is_the_versions_fault(
    service: Service, aws: Any, body: bytes, reason: str
) -> None:
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=body)
    digest = hashlib.sha256(body).hexdigest()
    service.versions = [{"model_version": "3", "bundle_digest": digest, "deploy_revision": 7}]
    with pytest.raises(VersionFaultError, match=reason):
        run(digest=digest)


@pytest.mark.parametrize(
    "altered",
    [b"no archive", BUNDLE[:-20], BUNDLE + b"x", archive(golden=json.dumps(GOLDEN))],
    ids=["no archive", "cut", "appended", "another"],
)
def test_a_bundle_that_was_altered_after_its_registration_is_red(service: Service, aws: Any, altered: bytes) -> None:
    """This was red before: the golden row was believed as it lay in S3."""
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=altered)
    with pytest.raises(VersionFaultError, match="was altered"):
        run()
