"""The last lines that a remote job wrote to CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable


def log_tail(hook_parameters: dict[str, Any], streams: Iterable[tuple[str, str]], lines: int = 40) -> str:
    """The newest ``lines`` lines of each ``(log group, stream name prefix)``, oldest first.

    :param hook_parameters: how to build an AWS hook: ``aws_conn_id``, ``region_name``, ``verify``, ``config``.

    Never raises on AWS's refusal: a missing log must not hide the failure that it was to explain; the text then says why
    there is none.
    """
    connection = AwsLogsHook(**{key: value for key, value in hook_parameters.items() if key != "client_type"}).conn
    parts = []
    for group, prefix in streams:
        try:
            found = connection.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix, limit=10)[
                "logStreams"
            ]
            for stream in found:
                name = stream["logStreamName"]
                events = connection.get_log_events(
                    logGroupName=group, logStreamName=name, limit=lines, startFromHead=False
                )["events"]
                if events:
                    parts.append(f"--- {group} {name}\n" + "\n".join(event["message"].rstrip() for event in events))
        except (ClientError, BotoCoreError) as error:
            parts.append(f"--- {group} {prefix}: no log ({error})")
    return "\n".join(parts) or "(the job wrote no log)"
