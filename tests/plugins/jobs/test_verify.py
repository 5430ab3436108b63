"""A deploy is green only when the service says and scores what was asked, several times in a row."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException
from nightjar.operators import verify
from nightjar.operators.verify import VerifyServiceOperator

from tests.support.job_clouds import TaskInstance, context

pytestmark = pytest.mark.stack

GOLDEN = {"request": {"carrier": "UA"}, "probability": 0.25, "prediction": 0}


class Service:
    """What the service answers; ``versions`` are given one after the other, the last for ever."""

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
def service(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    running = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps(running.answer(self.path)).encode()
            running.keys.append(self.headers.get("X-Api-Key"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    aws("ssm").put_parameter(Name="/url", Value=f"http://127.0.0.1:{server.server_port}", Type="String")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in {"model.joblib": "x" * 100_000, "golden.jsonl": json.dumps(GOLDEN) + "\n{}\n"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    aws("s3").create_bucket(Bucket="artifact")
    aws("s3").put_object(Bucket="artifact", Key="bundle.tar.gz", Body=archive.getvalue())
    monkeypatch.setattr(verify, "PAUSE_SECONDS", 0)
    yield running
    server.shutdown()


def run(ti: TaskInstance | None = None, **options: Any) -> Any:
    asked = {"version": "3", "bundle_digest": "abc", "bundle_uri": "s3://artifact/bundle.tar.gz"}
    operator = VerifyServiceOperator(task_id="verify", url_parameter="/url", **asked, **options)
    return operator.execute(context(ti=ti))


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
    ],
)
def test_red(service: Service, attribute: str, value: Any, reason: str) -> None:
    setattr(service, attribute, value)
    ti = TaskInstance()
    with pytest.raises(AirflowException, match=reason):
        run(ti)
    assert reason in ti.xcoms["failure"]


def test_nobody_answering_is_red(service: Service, aws: Any) -> None:
    aws("ssm").put_parameter(Name="/url", Value="http://127.0.0.1:14759", Type="String", Overwrite=True)
    with pytest.raises(AirflowException, match="refused"):
        run()


def test_where_callers_need_a_key_it_is_sent_with_the_prediction_only(service: Service, aws: Any) -> None:
    aws("secretsmanager").create_secret(Name="verify", SecretString="nj_key\n")
    run(api_key_secret="verify")
    assert service.keys == [None] * 6 + ["nj_key"]
