"""A deploy is green only when the service serves the deployed version, several times in a row.

It must also score as in training.
"""

from __future__ import annotations

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

from include.pipelines.deploy import Verification, VerificationError, verify

pytestmark = pytest.mark.stack

GOLDEN = {"request": {"carrier": "UA"}, "probability": 0.25, "prediction": 0}


class Service:
    """A service. Its answers to ``/version`` are given one after the other, the last for ever."""

    def __init__(self) -> None:
        self.versions = [{"model_version": "3", "bundle_digest": "abc"}]
        self.golden: dict[str, Any] = {"rows": 20, "max_difference": 0.0, "ok": True}
        self.prediction: dict[str, Any] = {"prediction": 0, "probability": 0.25, "model_version": "3"}
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
            self.send_response(200)
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
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in {"model.joblib": "x" * 100_000, "golden.jsonl": json.dumps(GOLDEN) + "\n{}\n"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    aws("s3").create_bucket(Bucket="artifact")
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=archive.getvalue())
    yield running
    server.shutdown()


def run(api_key_secret: str = "") -> Verification:
    target: Any = {"version": 3, "bundle_digest": "abc", "bundle_uri": "s3://artifact/bundle.tar.gz"}
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
        ("versions", [{"model_version": "3", "bundle_digest": "other"}], "bundle_digest"),
        ("versions", [{"model_version": "2", "bundle_digest": "abc"}], "model_version"),
        ("golden", {"rows": 20, "max_difference": 0.3, "ok": False}, "golden rows"),
        ("golden", {"detail": "not found"}, "golden rows"),
        ("prediction", {"prediction": 0, "probability": 0.26}, "expected 0.25"),
        ("prediction", {"prediction": 0, "probability": None}, "expected 0.25"),
        ("prediction", {"detail": "not what was asked for"}, "expected 0.25"),
        ("prediction", [0.25], "not a JSON object"),
    ],
)
def test_red(service: Service, attribute: str, value: Any, reason: str) -> None:
    setattr(service, attribute, value)
    with pytest.raises(VerificationError, match=reason):
        run()


def test_no_answer_is_red(service: Service, aws: Any) -> None:
    aws("ssm").put_parameter(
        Name="/nightjar/flights/service_url", Value="http://127.0.0.1:14759", Type="String", Overwrite=True
    )
    with pytest.raises(VerificationError, match="refused"):
        run()


def test_an_api_key_is_sent_with_the_prediction_only(service: Service, aws: Any) -> None:
    aws("secretsmanager").create_secret(Name="verify", SecretString="nj_key\n")
    run(api_key_secret="verify")
    assert service.keys == [None] * 6 + ["nj_key"]


def test_a_bundle_without_golden_rows_is_red(service: Service, aws: Any) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("model.joblib"), io.BytesIO())
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=archive.getvalue())
    with pytest.raises(VerificationError, match=r"holds no golden\.jsonl"):
        run()
