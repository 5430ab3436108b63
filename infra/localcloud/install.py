"""Puts the backends and actions of the service folders into moto. Every folder uses these functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse

from infra.localcloud.background import Background
from infra.localcloud.config import Config
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.jobs import Runner

SERVICES = (
    "applicationautoscaling",
    "awslambda",
    "budgets",
    "s3",
    "glue",
    "athena",
    "sagemaker",
    "ecs",
    "elb",
    "kinesis",
    "cloudfront",
    "cloudwatch",
    "cloudwatchlogs",
    "dynamodb",
    "ec2",
    "elasticache",
    "events",
    "firehose",
    "kms",
    "rds",
    "route53",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "xray",
)


class StateOfBackends(Protocol):
    """What a service uses of the stored state: see ``StateStore``, which has the rest."""

    def background(self, backend: BaseBackend) -> AbstractContextManager[None]:
        """Around a change that no request makes. It is on disk when the block ends."""
        ...

    def soon(self, backend: BaseBackend) -> None:
        """Saves the backend within half a second, or before a client reads from it."""
        ...


@dataclass(frozen=True)
class Context:
    """The parts of the server that a service uses: ``install(context)`` of its folder receives it."""

    config: Config
    identity: RoleIdentity
    runner: Runner
    state: StateOfBackends

    @property
    def background(self) -> Background:
        """The server's background threads: a service starts its own with it, so that the health check sees them."""
        return self.runner.background


def replace_backend(backends: BackendDict[Any], backend: type, context: Context) -> None:
    """Makes ``backend`` the class of a service's backends.

    Args:
        backends: moto's backends of the service.
        backend: A subclass of moto's backend; ``context`` becomes an attribute of the class.
        context: The parts of the server that the backend uses.

    Raises:
        RuntimeError: A request was served already, so a backend of the old class exists.
    """
    if backends:
        raise RuntimeError(
            f"moto's {backends.service_name} backends are in use already: install before the first request"
        )
    # moto looks for urls.py beside the module of the class; a subclass elsewhere needs that of its parent.
    urls = importlib.import_module(backends.backend.__module__.removesuffix(".models") + ".urls")
    backend._url_module = property(lambda self: urls)  # type: ignore[attr-defined]  # moto's own attribute
    backend.context = context  # type: ignore[attr-defined]  # every backend of ours declares it
    backends.backend = backend


def add_actions(response: type[BaseResponse], *actions: Callable[[Any], Any]) -> None:
    """Adds actions to a moto response class, or replaces its own.

    Args:
        response: moto's response class of the service.
        *actions: Functions such as ``def update_job(self: GlueResponse) -> ActionResult``, named as the AWS action in
            snake case.
    """
    for action in actions:
        setattr(response, action.__name__, action)


def install_all(context: Context) -> None:
    """Installs every service."""
    for service in SERVICES:
        importlib.import_module(f"{__package__}.{service}").install(context)
