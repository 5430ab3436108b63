"""A message is sent once however often its task is tried, with links that a person can open."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from nightjar.messages import Messages

from tests.support.alerts import Alerts
from tests.support.stores_in_memory import ItemsInMemory

pytestmark = pytest.mark.stack

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
KEY = ("reported#flights", "approval#4")


@pytest.fixture
def alerts(cloud: Any) -> Alerts:
    return Alerts(cloud, TOPIC)


def send(items: Any) -> bool:
    pages = {"Evaluation": "s3://artifact/evaluation.html", "Service": "http://service"}
    return Messages(TOPIC, items).send_once(KEY, "It waits", "Look at it.", pages)


def test_a_retry_sends_nothing_and_another_message_is_sent(alerts: Alerts) -> None:
    items = ItemsInMemory()
    assert (send(items), send(items)) == (True, False)
    assert Messages(TOPIC, items).send_once(("reported#flights", "approval#5"), "Another", "Look.", {})
    assert [message["Subject"] for message in alerts.received()] == ["It waits", "Another"]


def test_each_page_has_an_address(alerts: Alerts) -> None:
    send(ItemsInMemory())
    text = alerts.of("Look at it.") or ""
    assert "Service: http://service" in text
    assert "Evaluation: s3://artifact/evaluation.html" in text  # no console shows it here


@pytest.mark.usefixtures("cloud")
def test_without_a_topic_the_task_goes_on_and_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    items = ItemsInMemory()
    caplog.set_level(logging.ERROR)
    missing = Messages(TOPIC.replace("alerts", "none"), items)
    assert not missing.send_once(KEY, "It waits", "Look at it.", {})
    assert items.items == {}
    assert "could not be published" in caplog.text
