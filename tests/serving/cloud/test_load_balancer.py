"""A service behind the local load balancer: the real Caddy with its real configuration, and other HTTP clients."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop.free_ports import free_port
from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.elb.caddy import Caddy, forward, server
from infra.localcloud.elb.nameserver import NameServer
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.jobs import Runner
from tests.support.http_raw import JAVA_OFFER, raw_answers
from tests.support.request_cases import GOOD
from tests.support.service import Service

pytestmark = pytest.mark.stack
BODY = GOOD.encode()
HEAD = b"POST /predict HTTP/1.1\r\n" + JAVA_OFFER + b"Host: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
CLIENT = """
import java.net.URI;
import java.net.http.*;

public class Post {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(arguments[1])).build();
        for (int i = 0; i < 3; i++) {
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
"""


@pytest.fixture(scope="module")
def balancer(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a listener that forwards to the service."""
    folder = tmp_path_factory.mktemp("balancer")
    config = Config(state=folder, glue=GlueSettings(python=Path(sys.executable), jars=()), port=free_port())
    runner = Runner(config, RoleIdentity(config))
    names = NameServer(lambda name: ["127.0.0.1"], runner.background)
    port = free_port()
    handler = forward("group", [service.port], names.port, "round_robin")
    Caddy(config, runner).load({"listener": server(port, [{"handle": [handler]}])})
    yield port
    names.close()
    runner.close(5)


@pytest.mark.parametrize(
    "pieces",
    [(HEAD + LENGTH + BODY,), (HEAD + LENGTH, BODY), (HEAD + LENGTH + BODY[:5], BODY[5:])],
    ids=["whole", "body later", "half a body later"],
)
def test_a_post_that_offers_http_2_is_answered(balancer: int, pieces: tuple[bytes, ...]) -> None:
    ((status, body),) = raw_answers(balancer, *pieces)
    assert status == 200 and b'"model_version":"7"' in body


def test_requests_that_follow_on_the_connection_are_answered(balancer: int) -> None:
    plain = (HEAD + LENGTH + BODY).replace(JAVA_OFFER, b"")
    found = raw_answers(balancer, HEAD + LENGTH + BODY + plain + HEAD + LENGTH + BODY, count=3)
    assert [status for status, _ in found] == [200] * 3


@pytest.mark.parametrize("through", ["the load balancer", "no load balancer"])
def test_a_stock_java_client_is_answered(service: Service, balancer: int, through: str, tmp_path: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("no JDK with a compiler on the PATH; the bytes that its HttpClient sends are tested above")
    source = tmp_path / "Post.java"
    source.write_text(CLIENT)
    port = balancer if through == "the load balancer" else service.port
    command = ["java", str(source), f"http://127.0.0.1:{port}/predict", GOOD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["200"] * 3, done.stderr


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/version", "/openapi.json", "/metrics"])
def test_head_is_answered_like_get_without_the_body(balancer: int, path: str) -> None:
    found = []
    for method in ("GET", "HEAD"):
        connection = http.client.HTTPConnection("127.0.0.1", balancer, timeout=60)
        connection.request(method, path)
        answer = connection.getresponse()
        found.append((answer.status, answer.getheader("content-type"), len(answer.read())))
        connection.close()
    (status, content_type, length), head = found
    assert status == 200 and length > 0 and head == (status, content_type, 0)


def test_a_slash_at_the_end_is_no_redirect_to_another_scheme(balancer: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", balancer, timeout=60)
    connection.request("POST", "/predict/", GOOD, {"content-type": "application/json", "x-forwarded-proto": "https"})
    answer = connection.getresponse()
    assert answer.status in (200, 404) and answer.getheader("location") is None
    connection.close()
