"""The last lines that a remote job wrote to CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightjar.jobs.job import Description, LogStream, RemoteJob

MAX_STREAMS = 10


def job_log_tail(
    job: RemoteJob[Any], client: Any, description: Description, hook_parameters: dict[str, Any], lines: int
) -> str:
    """Returns the end of a job's log, or why it cannot be read: a log that is missing fails no job.

    Args:
        job: The job.
        client: boto3's client of the job's service.
        description: The job as AWS described it.
        hook_parameters: As for :func:`log_tail`.
        lines: At most so many lines of each stream.
    """
    try:
        streams = job.log_streams(client, description)
    except (ClientError, BotoCoreError) as error:
        return f"(the log streams of the job cannot be found: {error})"
    return log_tail(hook_parameters, streams, lines)


def log_tail(hook_parameters: dict[str, Any], streams: Iterable[LogStream], lines: int) -> str:
    """Returns the newest lines of each stream, oldest first.

    An AWS error is not raised, because a missing log must not hide the job's failure; the text reports it instead.

    Args:
        hook_parameters: Arguments of an AWS hook: ``aws_conn_id``, ``region_name``, ``verify``, ``config``.
        streams: Log group and prefix of the stream's name, for each kind of log.
        lines: At most so many lines of each stream.
    """
    client: Any = AwsLogsHook(**{name: value for name, value in hook_parameters.items() if name != "client_type"}).conn
    parts = []
    for group, prefix in streams:
        try:
            parts += _stream_tails(client, group, prefix, lines)
        except (ClientError, BotoCoreError) as error:
            parts.append(f"--- {group} {prefix}: no log ({error})")
    return "\n".join(parts) or "(the job wrote no log)"


def _stream_tails(client: Any, group: str, prefix: str, lines: int) -> list[str]:
    found = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix, limit=MAX_STREAMS)
    tails = []
    for name in (stream["logStreamName"] for stream in found["logStreams"]):
        answer = client.get_log_events(logGroupName=group, logStreamName=name, limit=lines, startFromHead=False)
        if answer["events"]:
            text = "\n".join(event["message"].rstrip() for event in answer["events"])
            tails.append(f"--- {group} {name}\n{text}")
    return tails
