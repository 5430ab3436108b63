"""The inbox on a local cloud: what is published is kept once, also after a kill, and newest first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop.aws import Aws
from infra.laptop.bootstrap import inbox
from infra.laptop.bootstrap.data import ALERTS_TOPIC, ALERTS_TOPIC_ARN
from infra.laptop.inbox.store import FILE, Inbox
from tests.support.applied_root import laptop_clients
from tests.support.localcloud import base_config, running_cloud

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A local cloud with the topic and the inbox's queue."""
    folder = tmp_path_factory.mktemp("inbox")
    with running_cloud(folder, base_config()) as cloud:
        _, clients = laptop_clients(cloud, folder / "laptop")
        clients.sns.create_topic(Name=ALERTS_TOPIC)
        inbox.create(clients)
        inbox.create(clients)  # as at the next start
        yield clients


def publish(aws: Aws, *texts: str) -> None:
    for text in texts:
        aws.sns.publish(TopicArn=ALERTS_TOPIC_ARN, Subject=text, Message=text)


def subjects(box: Inbox) -> set[str]:
    return {message.subject for message in box.collect()}


def test_a_message_is_kept_once_and_the_queue_is_emptied(aws: Aws, tmp_path: Path) -> None:
    publish(aws, *(f"message {number}" for number in range(12)))
    box = Inbox(aws, tmp_path)
    assert subjects(box) == {f"message {number}" for number in range(12)}
    assert len(box.collect()) == 12
    publish(aws, "the last")
    assert box.collect()[0].subject == "the last"
    assert len(Inbox(aws, tmp_path).kept()) == 13


def test_a_line_that_a_kill_has_torn_hides_no_other(aws: Aws, tmp_path: Path) -> None:
    publish(aws, "whole")
    box = Inbox(aws, tmp_path)
    box.collect()
    with (tmp_path / FILE).open("a") as file:
        file.write('\n{"id": "torn", "at": "20')
    publish(aws, "after")
    assert subjects(box) == {"whole", "after"}
