"""A queue against a real server: what is received comes back unless it is deleted."""

from __future__ import annotations

import asyncio

import pytest
from nightjar.queues.hook import QueueHook

from tests.support.moto_cloud import MotoCloud

pytestmark = pytest.mark.stack


async def look(hook: QueueHook) -> int:
    """How many messages wait."""
    async with hook.looking() as waiting:
        return await waiting()


def test_a_message_is_hidden_until_it_is_released_and_gone_once_it_is_deleted(cloud: MotoCloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    hook = QueueHook("q", retry_seconds=0)
    assert hook.receive() is None
    sqs.send_message(QueueUrl=url, MessageBody="one")
    assert asyncio.run(look(hook)) == 1
    first = hook.receive()
    assert first and first.body == "one"
    assert hook.receive() is None and asyncio.run(look(hook)) == 0
    hook.release(first.receipt)
    again = hook.receive()
    assert again and again.body == "one"
    QueueHook("q").release(again.receipt)
    assert hook.receive() is None, "it stays hidden for some minutes"
    hook.delete(again.receipt)
    assert hook.receive() is None
