"""What the laptop adds to Airflow's UI and REST API: a check of Host and Origin in front, and pages of jobs."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from .aws_clients import share_descriptions
from .origin_check import Message, OriginCheck, Receive, Send

share_descriptions()  # for the clients of triggers, and of the models page


class JobPages:
    """The ASGI application of :mod:`.job_page`.

    It is imported at the first request: every process of Airflow loads this plugin, and only the API server has pages.
    """

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request."""
        pages = await asyncio.to_thread(import_module, f"{__package__}.job_page")
        await pages.app(scope, receive, send)


class LaptopPlugin(AirflowPlugin):
    """Airflow loads it through the package's entry point."""

    name = "nightjar_laptop"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {
            "name": "Jobs of the local cloud",
            "app": JobPages(),
            "url_prefix": urlsplit(conf.get("nightjar", "console_url")).path,  # of the links that the operators make
        }
    ]
    fastapi_root_middlewares: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {
            "name": "Host and Origin check",
            "middleware": OriginCheck,
            "args": [],
            "kwargs": {"port": conf.getint("api", "port")},
        }
    ]
