"""Clients of AWS for the threads that send telemetry."""

from __future__ import annotations

from typing import Any, Literal

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0


def make_client(service: Literal["kinesis", "firehose", "xray"]) -> Any:
    """Makes a client with a session of its own, because boto3's default is not thread-safe. It does not retry.

    Make it with the first call: boto3 takes a tenth of a second, and only a service that sends something needs it.
    """
    import boto3
    from botocore.config import Config

    from serving import aws

    config = Config(
        # Its own text would be made anew, of thirty parts, twice in each call: an eighth of what a call costs.
        user_agent=f"Boto3/{boto3.__version__} nightjar",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    return aws.session().client(service, config=config)
