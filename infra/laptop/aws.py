"""boto3 clients of the local AWS endpoint with the operator's key, which may do everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.laptop.config import REGION, LaptopConfig


def operator_key_file(config: LaptopConfig) -> Path:
    """The file with the operator's key, which the local cloud makes at its first start."""
    return config.state / "cloud" / "operator.json"


class Aws:
    """Clients by service name: ``aws.s3``, ``aws.glue`` and so on. Each is created at its first use.

    Args:
        timeout: Seconds to wait for an answer.
        attempts: How often a call is tried; few, because the endpoint is on this machine.
    """

    def __init__(self, config: LaptopConfig, timeout: float = 60, attempts: int = 3) -> None:
        self._timeout, self._attempts = timeout, attempts
        self._endpoint = config.endpoint
        self._key_file = operator_key_file(config)

    @cached_property
    def _session(self) -> boto3.Session:
        key = json.loads(self._key_file.read_text())
        return boto3.Session(
            aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"], region_name=REGION
        )

    def client(self, service: str) -> Any:
        """A new client of a service."""
        options = Config(
            retries={"max_attempts": self._attempts, "mode": "standard"},
            s3={"addressing_style": "path"},
            max_pool_connections=16,
            read_timeout=self._timeout,
        )
        create: Callable[..., Any] = self._session.client  # its type has one overload for each literal service name
        return create(service, endpoint_url=self._endpoint, config=options)

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        client = self.client(service)
        self.__dict__[service] = client
        return client
