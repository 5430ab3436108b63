"""The trigger of every remote job: describes it until its state is no longer a running one.

There is no ``on_kill`` on purpose. It fires when a sensor is cleared as well as when it is marked failed, and clearing
a sensor must not stop the job. Jobs that outlive their DAG run are stopped by its teardown task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import jmespath
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class DescribeTrigger(BaseTrigger):
    """Fires once, when the job no longer runs or AWS refuses to describe it.

    The event is ``{"state": …}`` or ``{"error": …}``.

    Args:
        client_type: boto3's name of the service.
        method: The client's method that describes the job, called with ``arguments``.
        arguments: Arguments of that call.
        state_path: JMESPath of the state in the answer.
        running: States of a job that still runs.
        poll_seconds: Seconds between two calls.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        region_name: AWS region; None for boto3's default.
        verify: Whether TLS certificates are verified, or a file of trusted certificates.
        botocore_config: botocore's configuration.
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
        """Returns the class path and the constructor's arguments."""
        names = ("client_type", "method", "arguments", "state_path", "running", "poll_seconds")
        connection = ("aws_conn_id", "region_name", "verify", "botocore_config")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names + connection}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Describes the job until it ends; throttling and an unreachable endpoint are waited out."""
        hook = AwsBaseHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
            client_type=self.client_type,
        )
        async with await hook.get_async_conn() as client:
            event = None
            while event is None:
                # Wait first: the sensor has just described the job. A trigger that fires at once also meets Airflow
                # issue 72716: a task that resumes before Airflow has recorded the end of its worker loses a try.
                await asyncio.sleep(self.poll_seconds)
                event = await self._look(client)
        yield event

    async def _look(self, client: Any) -> TriggerEvent | None:
        try:
            state = jmespath.search(self.state_path, await getattr(client, self.method)(**self.arguments))
        except ClientError as error:
            if error.response["Error"]["Code"] not in RETRIABLE_ERROR_CODES:
                return TriggerEvent({"error": str(error)})
            self.log.warning("AWS throttles: trying again in %s s: %s", self.poll_seconds, error)
            return None
        except (BotoConnectionError, HTTPClientError) as error:
            self.log.warning("AWS is not reachable: trying again in %s s: %s", self.poll_seconds, error)
            return None
        self.log.info("%s %s: %s", self.method, self.arguments, state)
        return None if state in self.running else TriggerEvent({"state": state})
