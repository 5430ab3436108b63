"""MWAA's API as an HTTP server: it describes one environment, and passes InvokeRestApi on to a real Airflow."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config

from infra.airflow_api.http import HttpTransport
from infra.airflow_api.transport import Transport

ENVIRONMENT = "nightjar"


class MwaaGateway:
    """What the server answers.

    Attributes:
        environment: The description that GetEnvironment returns next; empty: there is no environment.
        airflow: Where InvokeRestApi leads to; None: it is denied.
    """

    def __init__(self, airflow: Transport | None) -> None:
        self.airflow = airflow
        self.environment: dict[str, Any] = {"Name": ENVIRONMENT, "Status": "AVAILABLE", "WebserverUrl": "mwaa.test"}

    def invoke(self, request: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
        """Returns the HTTP status, the body and the error's code, if there is one."""
        if self.airflow is None:
            return 403, {"message": "not authorized to perform airflow:InvokeRestApi"}, "AccessDeniedException"
        parameters = request.get("QueryParameters")
        answer = self.airflow.send(request["Method"], request["Path"], params=parameters, json=request.get("Body"))
        body = {"RestApiStatusCode": answer.status, "RestApiResponse": answer.body}
        if answer.status >= 500:
            return 400, body, "RestApiServerException"
        return (400, body, "RestApiClientException") if answer.status >= 400 else (200, body, "")

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Runs the server; gives a boto3 client of MWAA that talks to it."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if gateway.environment:
                    self.reply(200, {"Environment": gateway.environment}, "")
                else:
                    self.reply(404, {"message": "no such environment"}, "ResourceNotFoundException")

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(*gateway.invoke(request))

            def reply(self, status: int, content: dict[str, Any], code: str) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                if code:
                    self.send_header("x-amzn-ErrorType", code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield boto3.client(
                "mwaa",
                region_name="us-east-1",
                endpoint_url=f"http://127.0.0.1:{server.server_port}",
                aws_access_key_id="AKIATEST",
                aws_secret_access_key="test",
                config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
            )
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def mwaa_of(url: str) -> Iterator[Any]:
    """A boto3 client of MWAA whose environment is the Airflow at ``url``."""
    with MwaaGateway(HttpTransport(url)).client() as client:
        yield client
