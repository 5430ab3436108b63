"""Profiles with the job's token: what GitHub is asked, and that boto3 reads the result."""

from __future__ import annotations

import configparser
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.delivery import github_profiles
from infra.delivery.command import DeliveryError

ROLES = {"source": "arn:aws:iam::111111111111:role/a", "target": "arn:aws:iam::222222222222:role/b"}


class GitHub:
    """What the token service answers, and what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = {"value": "the token"}
        self.asked: list[tuple[str, str]] = []


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    service = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, self.headers["Authorization"]))
            body = json.dumps(service.answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{server.server_port}/token?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token")
    yield service
    server.shutdown()
    server.server_close()


def test_each_role_becomes_a_profile_of_the_jobs_token(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "aws-config"
    roles = [f"--role={name}={arn}" for name, arn in ROLES.items()]
    github_profiles.main(github_profiles.parser().parse_args([f"--config={config}", "--region=eu-west-1", *roles]))
    assert github.asked == [("/token?api-version=2&audience=sts.amazonaws.com", "Bearer request-token")]
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    profiles = configparser.ConfigParser()
    profiles.read(config)
    assert {name: profiles[f"profile {name}"]["role_arn"] for name in ROLES} == ROLES
    token = Path(profiles["profile target"]["web_identity_token_file"])
    assert token.read_text() == "the token"
    assert boto3.Session(profile_name="source").region_name == "eu-west-1"
    assert {stat.S_IMODE(file.stat().st_mode) for file in (config, token)} == {0o600}


def test_an_answer_without_a_token_is_refused(github: GitHub) -> None:
    github.answer = {"message": "no"}
    with pytest.raises(DeliveryError, match="no identity token"):
        github_profiles.identity_token()


def test_outside_of_a_github_job_the_missing_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    with pytest.raises(DeliveryError, match="id-token: write"):
        github_profiles.identity_token()


@pytest.mark.parametrize("role", ["source", "=arn:aws:iam::1:role/a", "source=role/a"])
def test_a_role_is_named_by_its_arn(role: str) -> None:
    with pytest.raises(SystemExit):
        github_profiles.parser().parse_args(["--config=x", "--region=y", f"--role={role}"])
