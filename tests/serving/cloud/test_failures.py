"""What callers see when a task dies, hangs or is stopped.

A load balancer does not send a POST to a second task, here as on AWS, because it is not idempotent. So the requests
that a dying task has open are lost: at most one per connection, because a client in a closed loop has no more than one.
All later requests go to the other task.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time

import pytest

from tests.support.http_load import CONNECTIONS
from tests.support.ports import accepts_connections
from tests.support.texts_service import TextsService, process_group

pytestmark = pytest.mark.stack
BODY = b'{"text_length": 120, "num_keywords": 3}'


def test_a_killed_task_loses_at_most_its_open_requests(version_1: TextsService):
    victim = version_1.tasks()[0]
    with version_1.load("1") as load:
        load.turn()
        os.killpg(process_group(victim), signal.SIGKILL)
        version_1.cloud.wait_until(lambda: version_1.is_stopped(victim["taskArn"]))
        stopped = time.monotonic()
        version_1.settle()
        healed = load.mark()
        load.turn()
    assert len(load.failures) <= CONNECTIONS
    assert load.failed_since(stopped) == 0, "no request is lost after the task is deregistered"
    assert load.counts(since=healed)["1"] > 0
    over = version_1.task(victim["taskArn"])
    assert over["containers"][0]["exitCode"] == 128 + signal.SIGKILL
    assert victim["taskArn"] not in {task["taskArn"] for task in version_1.tasks()}


def test_a_hung_task_is_replaced_after_failed_health_checks(version_1: TextsService):
    victim = version_1.tasks()[0]
    with version_1.load("1") as load:
        load.turn()
        os.killpg(process_group(victim), signal.SIGSTOP)
        version_1.cloud.wait_until(lambda: version_1.is_stopped(victim["taskArn"]))
        version_1.settle()
        healed, settled = load.mark(), time.monotonic()
        load.turn()
    assert len(load.failures) <= CONNECTIONS and load.failed_since(settled) == 0
    assert load.counts(since=healed)["1"] > 0
    assert "failed ELB health checks" in version_1.task(victim["taskArn"])["stoppedReason"]


def test_a_task_that_is_stopped_under_load_loses_no_request(version_1: TextsService):
    victim = version_1.tasks()[0]["taskArn"]
    with version_1.load("1") as load:
        load.turn()
        version_1.ecs.stop_task(cluster="test", task=victim)
        version_1.cloud.wait_until(lambda: version_1.is_stopped(victim))
        version_1.settle()
    assert load.failures == []
    assert version_1.task(victim)["containers"][0]["exitCode"] == 0


def test_sigterm_waits_for_a_request_whose_body_is_still_being_sent(version_1: TextsService):
    victim = version_1.tasks()[0]
    address = victim["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    connection = http.client.HTTPConnection(address, version_1.container_port, timeout=60)
    connection.putrequest("POST", "/predict")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(BODY)))
    connection.putheader("expect", "100-continue")
    connection.endheaders(BODY[:10])
    assert connection.sock.recv(100, socket.MSG_PEEK).startswith(b"HTTP/1.1 100 "), "the task is reading the body"
    os.kill(process_group(victim), signal.SIGTERM)
    version_1.cloud.wait_until(lambda: not accepts_connections(version_1.container_port, address))
    connection.send(BODY[10:])
    answer = connection.getresponse()
    assert (answer.status, b'"model_version":"1"' in answer.read()) == (200, True)
    version_1.cloud.wait_until(lambda: version_1.is_stopped(victim["taskArn"]))
    assert version_1.task(victim["taskArn"])["containers"][0]["exitCode"] == 0
