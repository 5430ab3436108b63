"""What callers see when a task dies, hangs or is told to end.

A request that was sent to a task is not sent to another one: POST is not idempotent for a load balancer, here as on AWS. So
what a dying task had in work is lost, and that is at most one request a connection, because a client in closed loop has no
more than one under way. Everything after it goes to the other task.
"""

from __future__ import annotations

import http.client
import os
import signal
import time

import pytest

from tests.serving.cloud.conftest import STOP_SECONDS, Texts, process_group
from tests.serving.cloud.load import CONNECTIONS

pytestmark = pytest.mark.stack
BEFORE_SECONDS = AFTER_SECONDS = 0.7
BODY = b'{"text_length": 120, "num_keywords": 3}'


def test_a_killed_task_costs_at_most_what_it_had_in_work(version_1: Texts):
    victim = version_1.tasks()[0]
    with version_1.load("1") as load:
        time.sleep(BEFORE_SECONDS)
        os.killpg(process_group(victim), signal.SIGKILL)
        version_1.cloud.wait_until(lambda: version_1.is_over(victim["taskArn"]))
        lost = list(load.failures)
        version_1.settle()
        healed = load.mark()
        time.sleep(AFTER_SECONDS)
    assert len(lost) <= CONNECTIONS
    assert load.failures == lost, "no more are lost once the task is out"
    assert load.counts(since=healed)["1"] > 0
    over = version_1.task(victim["taskArn"])
    assert over["containers"][0]["exitCode"] == 128 + signal.SIGKILL
    assert victim["taskArn"] not in {task["taskArn"] for task in version_1.tasks()}


def test_a_wedged_task_is_taken_out_by_its_health_check(version_1: Texts):
    victim = version_1.tasks()[0]
    with version_1.load("1") as load:
        time.sleep(BEFORE_SECONDS)
        os.killpg(process_group(victim), signal.SIGSTOP)
        version_1.cloud.wait_until(lambda: version_1.is_over(victim["taskArn"]))
        version_1.settle()
        time.sleep(1)
        healed, lost = load.mark(), list(load.failures)
        time.sleep(AFTER_SECONDS)
    assert len(lost) <= CONNECTIONS and load.failures == lost
    assert load.counts(since=healed)["1"] > 0
    assert "failed ELB health checks" in version_1.task(victim["taskArn"])["stoppedReason"]


def test_a_task_that_is_stopped_under_load_loses_no_request(version_1: Texts):
    victim = version_1.tasks()[0]["taskArn"]
    with version_1.load("1") as load:
        time.sleep(BEFORE_SECONDS)
        version_1.ecs.stop_task(cluster="test", task=victim)
        version_1.cloud.wait_until(lambda: version_1.is_over(victim))
        version_1.settle()
    assert load.failures == []
    assert version_1.task(victim)["containers"][0]["exitCode"] == 0


def test_sigterm_waits_for_a_request_whose_body_is_still_coming(version_1: Texts):
    victim = version_1.tasks()[0]
    address = victim["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    connection = http.client.HTTPConnection(address, version_1.container_port, timeout=STOP_SECONDS)
    connection.putrequest("POST", "/predict")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(BODY)))
    connection.endheaders(BODY[:10])
    time.sleep(0.2)
    os.kill(process_group(victim), signal.SIGTERM)
    version_1.cloud.wait_until(lambda: not _accepts(address, version_1.container_port))
    connection.send(BODY[10:])
    answer = connection.getresponse()
    assert (answer.status, b'"model_version":"1"' in answer.read()) == (200, True)
    version_1.cloud.wait_until(lambda: version_1.is_over(victim["taskArn"]), seconds=STOP_SECONDS)
    assert version_1.task(victim["taskArn"])["containers"][0]["exitCode"] == 0


def _accepts(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.connect()
        return True
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
