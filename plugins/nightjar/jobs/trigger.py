"""One trigger for every remote job: ask AWS to describe it until its state is no longer one of the running ones.

There is no ``on_kill`` here on purpose: it fires when a sensor is cleared as well as when it is marked failed, and clearing a
sensor must not stop the job. Jobs that outlive their run are stopped by its teardown task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import jmespath
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class DescribeTrigger(BaseTrigger):
    """Fires once with ``{"state": …}`` when the state has left ``running``, or ``{"error": …}`` when AWS refuses to say.

    :param client_type: boto3 service name.
    :param method: the describing method of its client, called with ``arguments``.
    :param state_path: JMESPath of the state in the answer.
    :param running: states in which the job still runs.
    :param poll_seconds: seconds between two looks.
    """

    def __init__(
        self,
        client_type: str,
        method: str,
        arguments: dict[str, Any],
        state_path: str,
        running: list[str],
        poll_seconds: float,
        aws_conn_id: str | None = None,
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.client_type = client_type
        self.method = method
        self.arguments = arguments
        self.state_path = state_path
        self.running = running
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        fields = ("client_type", "method", "arguments", "state_path", "running", "poll_seconds")
        connection = ("aws_conn_id", "region_name", "verify", "botocore_config")
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            name: getattr(self, name) for name in fields + connection
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        hook = AwsBaseHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
            client_type=self.client_type,
        )
        async with await hook.get_async_conn() as client:
            while True:
                # First the wait: the sensor has only just looked. A trigger that fires at once would also meet Airflow's issue
                # 72716, in which a task that is resumed before its worker was seen to end loses a try.
                await asyncio.sleep(self.poll_seconds)
                try:
                    state = jmespath.search(self.state_path, await getattr(client, self.method)(**self.arguments))
                except ClientError as error:
                    if error.response["Error"]["Code"] not in RETRIABLE_ERROR_CODES:
                        yield TriggerEvent({"error": str(error)})
                        return
                    self.log.warning("AWS asks for patience: %s", error)
                except (ConnectionError, HTTPClientError) as error:
                    self.log.warning("AWS is not reachable, looking again in %s s: %s", self.poll_seconds, error)
                else:
                    self.log.info("%s %s: %s", self.method, self.arguments, state)
                    if state not in self.running:
                        yield TriggerEvent({"state": state})
                        return
