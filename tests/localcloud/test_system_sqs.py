"""The provider's SQS hook, operator and sensor: messages are sent, received once, and deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_sensor_reads_in_batches_and_deletes(
    cloud: Cloud, system_run: Callable[..., SystemRun], deferrable: bool
) -> None:
    from airflow.providers.amazon.aws.hooks.sqs import SqsHook
    from airflow.providers.amazon.aws.operators.sqs import SqsPublishOperator
    from airflow.providers.amazon.aws.sensors.sqs import SqsSensor

    name = f"system-sqs-{deferrable}".lower()
    run = system_run(allow("sqs:*", f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"))
    url = SqsHook(aws_conn_id=None).create_queue(name)["QueueUrl"]
    sent = run.execute(SqsPublishOperator, sqs_queue=url, message_content="{{ ti.task_id }}", task_id="first")
    run.execute(SqsSensor, "read", sqs_queue=url, timeout=10, deferrable=deferrable)
    [message] = run.xcoms["read", "messages"]
    assert (message["Body"], message["MessageId"]) == ("first", sent["MessageId"])

    bodies = {f'{{"rows": {number}}}' for number in range(12)}
    for body in sorted(bodies):
        run.execute(SqsPublishOperator, sqs_queue=url, message_content=body)
    run.execute(
        SqsSensor, "batch",
        sqs_queue=url, max_messages=10, num_batches=3, timeout=10, deferrable=deferrable,
        message_filtering="jsonpath", message_filtering_config="rows",
    )  # fmt: skip
    assert {message["Body"] for message in run.xcoms["batch", "messages"]} == bodies
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
    assert left == dict.fromkeys(counts, "0")
    cloud.client("sqs").delete_queue(QueueUrl=url)
