"""How a service folder puts its own backend and actions into moto. Every folder uses these two functions and no other way."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.responses import BaseResponse

from .config import Config
from .identity import Identity
from .jobs import Runner

SERVICES = ("glue", "athena", "sagemaker", "ecs", "elb", "kinesis")


@dataclass(frozen=True)
class Context:
    """What a service needs of the server: its ``install(context)`` gets one."""

    config: Config
    identity: Identity
    runner: Runner


def replace_backend(backends: BackendDict[Any], backend: type, context: Context) -> None:
    """Makes ``backend`` (a subclass of moto's) the class of a service's backends, with ``context`` as class attribute.

    To be called before the first request: a backend that exists already would keep its class.
    """
    if backends:
        raise RuntimeError(
            f"moto's {backends.service_name} backends are in use already: install before the first request"
        )
    # moto looks for urls.py beside the class; ours lies elsewhere, moto's is right.
    urls = importlib.import_module(backends.backend.__module__.removesuffix(".models") + ".urls")
    backend._url_module = property(lambda self: urls)  # type: ignore[attr-defined]
    backend.context = context  # type: ignore[attr-defined]
    backends.backend = backend


def add_actions(response: type[BaseResponse], *actions: Callable[[Any], Any]) -> None:
    """Adds actions to (or replaces them in) a moto response class.

    Each is a function ``def update_job(self: GlueResponse) -> ActionResult``, named as the AWS action in snake case.
    """
    for action in actions:
        setattr(response, action.__name__, action)


def install_all(context: Context) -> None:
    """Installs every service."""
    for service in SERVICES:
        importlib.import_module(f"{__package__}.{service}").install(context)
